"""Any value of any setting is either refused before work starts, by its name, or works."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import play
import train
from algos.rollout.collector import Collector
from algos.runs.checkpoint import save_checkpoint
from algos.runs.codec import from_plain, to_plain
from algos.runs.directory import RunDirectory
from algos.training.settings import ResumeConfig
from trot import training

WALK, STAND = "trot/AnymalWalk-v0", "trot/AnymalStand-v0"
CALM: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
NAN, INF = math.nan, math.inf
NUMBERS = [NAN, INF, -INF, 0, 1, 2, 3, -1, 0.5, -0.5, 1e-300, 1e-3, 1e300, 2**31, 10**30]
OTHERS = [True, None, "", "x", "é\0", [], [NAN, 1.0], [1, 2], [1.0, -1.0], [0.5] * 4, {}, {"x": 1}]
HOSTILE = st.one_of(
    st.sampled_from([*NUMBERS, *OTHERS]),
    st.floats(),
    st.integers(-(10**20), 10**20),
    st.lists(st.floats(width=16) | st.integers(-3, 3), max_size=4),
)
"""What JSON can hold."""


@cache
def preset(env_id: str) -> training.TrainConfig:
    return training.defaults(env_id)


def leaves(config: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path to every setting, through dataclasses and mappings of them."""
    for name, value in _entries(config):
        if is_dataclass(value) or (isinstance(value, dict) and value):
            yield from leaves(value, (*path, name))
        elif not callable(value):
            yield (*path, name)


def _entries(config: Any) -> list[tuple[str, Any]]:
    if isinstance(config, dict):
        return list(config.items())
    return [(f.name, getattr(config, f.name)) for f in fields(config)]


WALKING = list(leaves(preset(WALK)))
PATHS = [*WALKING, *(p for p in leaves(preset(STAND)) if "pose" in p)]


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a plain configuration of one setting."""
    head, *rest = path
    return {head: nested(tuple(rest), value) if rest else value}


def changed(
    config: training.TrainConfig, path: tuple[str, ...], value: Any
) -> training.TrainConfig:
    """Return the configuration with one setting changed, the same where it was refused."""
    try:
        return from_plain(config, nested(path, value))
    except ValueError as error:
        words = str(error).replace(" ", "_").replace("-", "_")
    assert any(name in words for name in path[-3:]), f"{path}: {words}"
    assert "must_" in words, words
    return config


def works(config: training.TrainConfig) -> None:
    """Train the configuration for an iteration of a few steps, if it can be built."""
    small = replace(config, num_envs=2)
    try:
        env = train.make_environment(small)
        agent = train.build_agent(small, env, torch.device("cpu"))
    except ValueError as error:
        words = str(error)
    else:
        agent.update(Collector(env, agent.sample, 4, seed=config.seed).collect(), progress=0.7)
        env.close()
        return
    assert "gait offsets" in words or "hidden" in words


@pytest.mark.slow
def test_every_setting_is_walked() -> None:
    """The walk finds nested ones and terms, and each has a check of its type."""
    known = {".".join(path) for path in PATHS}
    assert {"num_envs", "algo.hidden", "env.simulation.substeps", "env.rewards.slip.weight"} < known
    assert {"env.observations.gravity.noise", "env.rewards.pose.params.bound"} < known
    for path in PATHS:
        task = STAND if "pose" in path else WALK
        with pytest.raises(ValueError, match=path[-1]):
            from_plain(preset(task), nested(path, object()))


@pytest.mark.slow
@pytest.mark.parametrize("value", [NAN, INF, -INF, 1e300, -1e300])
def test_no_setting_takes_what_is_not_finite_or_overflows(value: float) -> None:
    free = {"total_steps", "seed"}
    for path in PATHS:
        config = preset(STAND if "pose" in path else WALK)
        if (value == 1e300 and path[-1] in ("hold", "ramp")) or path[-1] in free:
            continue
        assert changed(config, path, value) is config, path


@pytest.mark.slow
@settings(**CALM, max_examples=200)
@given(st.sampled_from(PATHS), HOSTILE)
@example(("algorithm",), "")
def test_a_value_is_refused_by_name_or_taken(path: tuple[str, ...], value: Any) -> None:
    config = preset(STAND if "pose" in path else WALK)
    again = changed(config, path, value)
    assert from_plain(config, json.loads(json.dumps(to_plain(again)))) == again


@pytest.mark.slow
@settings(**CALM, max_examples=12)
@given(st.randoms(use_true_random=False))
def test_what_is_taken_works(random: Any) -> None:
    """Many settings at once, each at some value that is in its bounds; the sizes stay small."""
    config = preset(WALK)
    for path in WALKING:
        if random.random() < 0.2 and path[0] in ("algo", "env", "seed"):
            config = changed(config, path, random.choice([*NUMBERS[:-2], *OTHERS]))
    works(config)


@pytest.mark.slow
@settings(**CALM, max_examples=15)
@given(st.sampled_from(WALKING), st.sampled_from([*NUMBERS, "x", "", "1 2"]))
def test_the_command_line_of_training(path: tuple[str, ...], value: Any) -> None:
    flag = "--" + ".".join(path).replace("_", "-")
    refused_or_ok(lambda: train.parse([WALK, f"{flag}={value}"]))


def refused_or_ok(call: Any) -> Any:
    """Call; an error must be one that the programs tell in words, with exit status 2."""
    try:
        return call()
    except ValueError:
        return None
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    return None


class WorkStartedError(Exception):
    """The options were taken."""


@pytest.mark.slow
@settings(**CALM, max_examples=150)
@given(data=st.data())
def test_the_command_line_of_playing(
    data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is given, it ends in words, or it comes to the work with values in bounds."""

    def started(options: play.Play, *_: Any) -> None:
        assert 0 < options.episodes <= 100_000
        assert options.seconds is None or 0 < options.seconds < 1e5
        assert all(math.isfinite(v) for v in options.command or ())
        raise WorkStartedError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(play, "find_subject", started)
    names = st.sampled_from([f.name for f in fields(play.Play)])
    words = st.sampled_from([str(v) for v in [*NUMBERS, "x", "", "a.mp4", "2x2", "1e400", "zero"]])
    given_ = data.draw(st.lists(st.tuples(names, st.lists(words, max_size=3)), max_size=3))
    arguments = [word for name, values in given_ for word in (f"--{name}", *values)]
    try:
        refused_or_ok(lambda: play.main([WALK, "--evaluate", *arguments]))
    except WorkStartedError:
        return


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run with a checkpoint that nobody opens."""
    path = tmp_path_factory.mktemp("runs") / "walk"
    made = RunDirectory.create(path, to_plain(preset(WALK)))
    save_checkpoint(made.last, {"env_id": WALK})
    return made


@pytest.mark.slow
@settings(**CALM, max_examples=100)
@given(path=st.sampled_from(WALKING), value=HOSTILE, depth=st.integers(1, 4), drop=st.booleans())
def test_a_damaged_configuration_is_named(
    run: RunDirectory, path: tuple[str, ...], value: Any, depth: int, drop: bool
) -> None:
    """A part of it, of any depth, becomes something else or is lost."""
    plain = to_plain(preset(WALK))
    part, path = plain, path[:depth]
    for name in path[:-1]:
        part = part.get(name, {})
    if drop:
        part.pop(path[-1], None)
    else:
        part[path[-1]] = value
    run.config.write_text(json.dumps(plain))
    try:
        config, _, _ = training.reopen_run(ResumeConfig(run.path))
    except ValueError as error:
        words = str(error)
    else:
        assert from_plain(config, to_plain(config)) == config
        return
    assert "config.json is damaged" in words
    assert "\n" not in words


@pytest.mark.parametrize("name", ["env_id", "robot", "algorithm", "drive", "terrain"])
@pytest.mark.parametrize("value", [np.nan, 3, True, ["trpo"], {"trpo": 1}])
def test_what_chooses_the_settings_is_a_name(run: RunDirectory, name: str, value: Any) -> None:
    run.config.write_text(json.dumps(to_plain(preset(WALK)) | {name: value}))
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        training.reopen_run(ResumeConfig(run.path))


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1e999", "[" * 100_000, '{"env_id": []}'])
def test_a_configuration_that_is_none_is_named(run: RunDirectory, text: str) -> None:
    run.config.write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        train.parse(["--resume", str(run.path)])
