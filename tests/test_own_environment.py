"""An environment in a module of one's own, from the command line: every program finds it there."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch

import play
import train
from algos import terminal
from algos.compare import experiment
from algos.runs.checkpoint import load_checkpoint
from algos.runs.directory import RunDirectory
from algos.usage import UsageError
from trot import subject

MODULE = """
import gymnasium as gym
import numpy as np
from gymnasium import spaces

class Line(gym.Env):
    metadata = {"render_modes": []}
    def __init__(self, size: int, speed=0.5, name: str = "line"):
        self._size, self._speed, self._name = size, speed, name
        vector = spaces.Box(-np.inf, np.inf, (size,), np.float64)
        self.observation_space = spaces.Dict(place=vector, level=spaces.Discrete(2))
        self.action_space = spaces.Box(0, 3, (1,), np.int8)
    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self._steps = 0
        return self._see(), {"name": self._name}
    def _see(self):
        return {"place": self.np_random.normal(1.7e9, 1, self._size), "level": self._steps % 2}
    def step(self, action):
        self._steps += 1
        reward = float(action[0] * self._speed)
        return self._see(), reward, False, self._steps == 8, {"path": np.zeros(self._steps)}

class Negative(gym.RewardWrapper):
    def reward(self, reward):
        return -reward

gym.register("Line-v0", Line, kwargs={"speed": 2.0})
"""
ID = "trot_line:Line-v0"
OWN = ["--env-kwargs.size=3", "--wrapper", "trot_line:Negative"]
SMALL = [
    "--num-envs",
    "2",
    "--rollout-steps",
    "16",
    "--eval-episodes",
    "2",
    "--video-interval",
    "0",
]
QUIET = [*SMALL, "--logger", "none"]


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module lies in the current directory, which is not on Python's path."""
    (tmp_path / "trot_line.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    yield
    sys.modules.pop("trot_line", None)
    gymnasium.registry.pop("Line-v0", None)


def forget() -> None:
    """What another process does not know."""
    sys.modules.pop("trot_line", None)
    gymnasium.registry.pop("Line-v0", None)


def steps(run: Path) -> list[int]:
    with (run / "metrics.csv").open(newline="") as file:
        return [int(row["env_steps"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_it_is_trained_resumed_judged_and_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.main([ID, *OWN, *QUIET, "--total-steps", "32"])
    run = Path("runs/Line-v0-s1")
    config = json.loads((run / "config.json").read_text())
    assert config["env_id"] == ID
    assert (config["env_kwargs"], config["wrapper"]) == ({"size": 3}, ["trot_line:Negative"])

    forget()
    train.main(["--resume", str(run), "--total-steps", "64"])
    train.main([ID, *OWN, *QUIET, "--total-steps", "64", "--run-dir", "whole"])
    assert steps(run) == steps(Path("whole")) == [32, 64]
    found, whole = (load_checkpoint(r / "checkpoints" / "last.pt") for r in (run, Path("whole")))
    for name, tensor in whole["algo"]["policy"].items():
        assert torch.equal(found["algo"]["policy"][name], tensor)

    play.main([str(run), "--save", "line.pt", "--export", "line.pt2"])
    returns = []
    for source in (str(run), "line.pt"):
        forget()
        play.main([source, "--evaluate", "--episodes", "2", "--json", "line.json"])
        returns.append(json.loads(Path("line.json").read_text())["return_mean"])
    assert returns[0] == returns[1] < 0
    play.main([ID, "--agent", "zero", "--evaluate", "--episodes", "2", "--env-kwargs.size", "1"])
    assert "return mean" in capsys.readouterr().out


@pytest.mark.slow
def test_two_seeds_are_trained(tmp_path: Path) -> None:
    config, run, _ = train.parse([ID, *OWN, *QUIET, "--total-steps", "32", "--seeds", "1", "2"])
    (tmp_path / "program.py").write_text("")  # the trainings follow here, in this process
    with pytest.raises(experiment.SeedError, match="ended before it had its steps"):
        experiment.run(run.path, train.to_plain(config), [sys.executable, "program.py"])
    for seed in (1, 2):
        forget()
        train.main(["--resume", f"runs/Line-v0-s{seed}"])
        assert steps(Path(f"runs/Line-v0-s{seed}")) == [32]
    changed, _, _ = train.parse([ID, "--env-kwargs.size=4", *QUIET, "--seeds", "1", "2"])
    with pytest.raises(UsageError, match=r"env_kwargs {'size': 3}, not {'size': 4}"):
        experiment.run(run.path, train.to_plain(changed), [sys.executable, "program.py"])


@pytest.mark.slow
def test_a_sweeps_trial_is_told_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "s")
    monkeypatch.setenv("WANDB_RUN_ID", "trial")
    config, run, _ = train.parse([ID, "--env-kwargs.size=5", "--env-kwargs.speed=.5", "--seed=3"])
    assert config.env_kwargs == {"size": 5, "speed": 0.5}
    assert run.path == Path("runs/Line-v0-s3-trial")


@pytest.mark.slow
def test_parameters_are_typed_or_json() -> None:
    typed = ["--env-kwargs.name", "7", "--env-kwargs.max-episode-steps", "5"]
    config, _, _ = train.parse([ID, "--env-kwargs", '{"size": 3, "speed": null}', *typed])
    wanted = {"size": 3, "speed": None, "name": "7", "max_episode_steps": 5}
    assert config.env_kwargs == wanted
    python = ["--env-kwargs", "{'size': 3}", "--env-kwargs.name", "", "--env-kwargs.speed", "inf"]
    config, _, _ = train.parse([ID, *python])
    assert config.env_kwargs == {"size": 3, "name": "", "speed": float("inf")}


@pytest.mark.slow
def test_whole_numbers_of_parameters_may_be_written_as_1e1() -> None:
    each = ["--env-kwargs.size", "1e1", "--env-kwargs.speed", "1e1"]
    for given in (each, ["--env-kwargs", '{"size": 1e1, "speed": 1e1}']):
        config, _, _ = train.parse([ID, *given])
        assert [type(config.env_kwargs[name]) for name in ("size", "speed")] == [int, float]
        assert config.env_kwargs == {"size": 10, "speed": 10}


def test_a_run_keeps_its_parameters(tmp_path: Path) -> None:
    told = f"{tmp_path} keeps the parameters of its training: leave --env-kwargs out"
    for given in (["--env-kwargs.size", "5"], ["--env-kwargs", '{"size": 5}']):
        with pytest.raises(UsageError, match=told):
            play.main([str(tmp_path), "--evaluate", *given])


WRONG = {
    "trot_lime:Line-v0": "trot_lime:Line-v0: there is no module 'trot_lime'",
    "trot_line:Lime-v0": "trot_line.py registers no id 'Lime-v0'; its environments are Line-v0",
    "trot_line:line-v0": r"its environments are Line-v0; did you mean trot_line:Line-v0\?$",
    "trot_line:x/LINE-v0": r"did you mean trot_line:Line-v0\?$",
    "trot_line:Quite-other-v0": "its environments are Line-v0$",
    "json:cartpole-v1": r"registers no id .*; did you mean json:CartPole-v1\?$",
    "./trot_line.py:Line-v0": "'./trot_line.py' is no module's name",
    f"{ID} --env-kwargs.sise 3": "has no parameter 'sise'; it has size, speed, name",
    f'{ID} --env-kwargs {{"sise":3}}': "has no parameter 'sise'; it has size, speed, name",
    f"{ID} --env-kwargs size=3": "must be a JSON object",
    f"{ID} --env-kwargs.size 1.5": "env-kwargs.size is 1.5.*valid integer",
    f"{ID} --env-kwargs.size 1 --env-kwargs.max-episode-steps 0": "steps is 0; give 1 or more",
    f"{ID} --env-kwargs.size three": "env-kwargs.size is 'three'.*valid integer",
    ID: "give --env-kwargs.size",
}


@pytest.mark.slow
@pytest.mark.parametrize(("command", "message"), WRONG.items(), ids=WRONG)
def test_one_line_says_what_is_wrong(command: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as told:
        train.parse(command.split())
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "error"),
    [("raise ValueError('mine')", ValueError), ("import no_such", ImportError)],
)
def test_what_a_module_raises_is_its_own(content: str, error: type[Exception]) -> None:
    Path("trot_line.py").write_text(content)
    with pytest.raises(error, match=r"mine|no_such") as raised:
        train.parse([ID])
    assert not isinstance(raised.value, UsageError)
    assert "trot_line.py" in str(raised.traceback[-1].path) or error is ImportError


def test_a_name_that_trot_takes_is_told() -> None:
    Path("envs").mkdir()
    with pytest.raises(UsageError, match=r"which hides .*envs: rename yours"):
        train.parse(["envs.mine:Line-v0"])


@pytest.mark.slow
@pytest.mark.parametrize("wrapper", ["Negative", "trot_line:Positive", "trot_lime:Negative"])
def test_a_wrapper_that_is_none_is_named(wrapper: str) -> None:
    config, _, _ = train.parse([ID, "--env-kwargs.size=1", "--wrapper", wrapper])
    with pytest.raises(UsageError, match=f"--wrapper .*{wrapper}"):
        train.make_environment(config)


WANDERS = """
import os
import gymnasium as gym
from trot_line import Line

class Wanders(Line):
    def reset(self, **how):
        os.chdir("/")
        return super().reset(**how)

os.chdir("/")
gym.register("Wanders-v0", Wanders)
"""


@pytest.mark.slow
def test_an_environment_may_change_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trot_wanders.py").write_text(WANDERS)
    monkeypatch.setattr(terminal, "_folder", tmp_path)  # as where the programs begin
    env = ["trot_wanders:Wanders-v0", "--env-kwargs.size=3"]
    train.main([*env, *QUIET, "--total-steps", "32", "--run-dir", "run"])
    assert "Watch:  python play.py run --video policy.mp4" in capsys.readouterr().out
    train.main(["--resume", "run", "--total-steps", "64"])
    assert steps(tmp_path / "run") == [32, 64]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["run_dir"] == "run"

    play.main(["run", "--evaluate", "--episodes", "1", "--json", "a/b.json", "--save", "a/b.pt"])
    assert "policy: a/b.pt" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b.json", "b.pt"]
    play.main(["a/b.pt", "--evaluate", "--episodes", "1"])
    sys.modules.pop("trot_wanders")
    gymnasium.registry.pop("Wanders-v0")


def test_seeds_begin_where_the_command_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_folder", tmp_path)
    monkeypatch.chdir("/")
    run = experiment.SeedRun(1, RunDirectory(tmp_path / "x-s1"), {"total_steps": 1})
    tells = [sys.executable, "-c", "import os; open('place', 'w').write(os.getcwd())"]
    with pytest.raises(experiment.SeedError):
        experiment.train([run], tells, jobs=2)
    assert (tmp_path / "place").read_text() == str(tmp_path)


@pytest.mark.slow
def test_an_action_space_that_is_none_of_trots_is_refused_by_id() -> None:
    def pairs(**how: Any) -> gymnasium.Env:
        env, space = gymnasium.make("Pendulum-v1", **how), gymnasium.spaces.MultiBinary(2)
        return gymnasium.wrappers.TransformAction(env, lambda action: action, space)

    gymnasium.register("Pairs-v0", pairs)
    try:
        with pytest.raises(UsageError, match=r"^environment 'Pairs-v0': action space MultiBinary"):
            train.main(["Pairs-v0", *QUIET])
    finally:
        gymnasium.registry.pop("Pairs-v0")


STRANGE = """
from __future__ import annotations
import gymnasium as gym
import numpy as np
from gymnasium import spaces

class Strange(gym.Env):
    observation_space = spaces.Box(-1000, 1000, (3,))
    action_space = spaces.Discrete(2)
    def __init__(self, id: int, num_envs: int, wrappers=0, dt: "np.float" = 0.1, **more):
        self._seen = np.array([id, num_envs, wrappers + more["lambda"]], np.float32)
    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        return self._seen, {}
    def step(self, action):
        return self._seen, 0.0, False, True, {}

gym.register("Strange-v0", Strange, kwargs={"lambda": 0.5})
"""


def test_parameters_may_have_the_names_of_other_things() -> None:
    Path("trot_strange.py").write_text(STRANGE)
    name = "trot_strange:Strange-v0"
    texts = {"id": 7, "num_envs": 4, "wrappers": 2, "lambda": 3, "dt": 0.2}
    given = [f"--env-kwargs.{key}={value}" for key, value in texts.items()]
    config, _, _ = train.parse([name, *given, *QUIET])
    options, _ = subject.read([name, *given, "--agent", "zero", "--evaluate"])
    content = {"env_id": name, "env_kwargs": config.env_kwargs}
    makers = [
        train.maker(config),
        subject._maker(options, name, None),
        subject._maker(options, name, content),
    ]
    for make in makers:
        envs = make(name, 2)
        assert envs.reset()[0].tolist() == [[7.0, 4.0, 5.0]] * 2
        envs.close()
    gymnasium.registry.pop("Strange-v0")
