"""Any id becomes a vector environment that the algorithm understands, or a clear error."""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from algos.nets.policy import output_size
from algos.rollout.collector import Collector
from algos.rollout.environments import make_vec, maker, named
from algos.training.evaluate import evaluate
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from algos.usage import SpaceError, UsageError

IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)
VECTOR = spaces.Box(-1.0, 1.0, (2,))


class Levers(gymnasium.Env):
    """Two levers of 2 and 3 places; a step pays 1 for each in the place that the state shows."""

    def __init__(
        self,
        observation_space: spaces.Space = VECTOR,
        info: Callable[[int], dict[Any, Any]] = lambda steps: {},
        convert: Callable[[np.ndarray], Any] = np.float32,
        reuse: bool = False,
    ) -> None:
        self.observation_space = observation_space
        self.action_space = spaces.MultiDiscrete([2, 3])
        self._info, self._convert = info, convert
        self._array = np.zeros(2, np.float32) if reuse else None

    def _draw(self) -> Any:
        self._wanted = self.np_random.integers([2, 3])
        shown = self._convert(self._wanted - np.array([0.5, 1.0]) + 0.1)
        if self._array is None:
            return shown
        self._array[:] = shown
        return self._array

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._draw(), self._info(0)

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = float((action == self._wanted).sum())
        self._steps += 1
        return self._draw(), reward, False, self._steps == 10, self._info(self._steps)


def make_levers(**kwargs: Any) -> gymnasium.Env:
    return Levers(**kwargs)


@pytest.fixture
def levers() -> Iterator[str]:
    gymnasium.register("test/Levers-v0", make_levers)
    yield "test/Levers-v0"
    del gymnasium.registry["test/Levers-v0"]


INFOS: dict[str, Any] = {
    "changing shapes": lambda k: {"path": np.zeros(1 + k % 4)},
    "changing types": lambda k: {"x": [None, "far", {"deep": {3: k}}, np.zeros((2, k))][k % 4]},
    "other keys": lambda k: {("a", 1): k, None: object(), 3: "three"},
    "Trot's words": lambda k: {"faults": k, "episode_means": np.zeros(3), "diverged": "no"},
    "Gymnasium's words": lambda k: {"final_obs": k, "_final_obs": None, "final_info": [k]},
    "Trot's name": lambda k: {"trot": k},
}


@pytest.mark.parametrize("info", INFOS.values(), ids=INFOS)
def test_an_environments_info_is_its_own(levers: str, info: Any) -> None:
    envs = make_vec(levers, 2, info=info)
    still = lambda o: (torch.zeros(2, 2), np.zeros((2, 2), int))  # noqa: E731
    collector = Collector(envs, still, 15, seed=0)
    rollout = collector.collect()
    assert rollout.final_rows.tolist() == [18, 19]  # of the time-outs after 10 steps
    assert rollout.metrics["diverged"] == 0
    assert not collector.faults
    assert not [name for name in rollout.metrics if name.startswith("episode/")]
    assert evaluate(lambda o: np.zeros((2, 2), int), envs, 2)["length_mean"] == 10


def test_float64_keeps_its_digits_until_it_is_normalised(levers: str) -> None:
    clock = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    envs = make_vec(levers, 2, observation_space=clock, convert=lambda o: 1.7e9 + o * 1e-3)
    agent = TRPO(clock, envs.single_action_space, TRPOConfig(hidden=(8,), critic_hidden=(8,)))
    collector = Collector(envs, agent.sample, 15, seed=0)
    agent.update(collector.collect())
    rollout = collector.collect()
    for seen in (rollout.observations, rollout.next_observations, rollout.final_observations):
        assert len(agent.normalizer(seen).flatten(0, -2).unique(dim=0)) > 1
    assert len(np.unique(agent.act(rollout.observations[:, 0].numpy(), deterministic=False))) > 1
    single = make_vec(levers, 2)
    assert Collector(single, agent.sample, 1).state_dict()["next"].dtype == torch.float32


VECTORS = spaces.Dict(
    {
        "place": VECTOR,
        "level": spaces.Discrete(3, start=-1),
        "more": spaces.Tuple([spaces.Box(0, 1, (2, 2)), spaces.MultiBinary(2)]),
    }
)


def test_nested_vectors_are_flattened(levers: str) -> None:
    told = {
        "place": np.array([0.5, -0.5], np.float32),
        "level": 1,
        "more": (np.array([[1, 2], [3, 4]], np.float32) / 4, np.array([0, 1], np.int8)),
    }
    envs = make_vec(levers, 2, observation_space=VECTORS, convert=lambda o: told)
    observations, _ = envs.reset(seed=0)
    order = list(VECTORS.spaces)
    parts = {"place": [0.5, -0.5], "level": [0, 0, 1], "more": [0.25, 0.5, 0.75, 1, 0, 1]}
    assert observations.tolist() == [[x for name in order for x in parts[name]]] * 2


@pytest.mark.parametrize(
    "space",
    [spaces.Sequence(VECTOR), spaces.Dict({"a": spaces.Graph(VECTOR, None)})],
    ids=["a sequence", "a graph"],
)
def test_what_makes_no_vector_is_refused(levers: str, space: spaces.Space) -> None:
    with pytest.raises(UsageError, match="no vector of a fixed length"):
        make_vec(levers, 2, observation_space=space)


@pytest.mark.parametrize("kind", [">f4", ">f8", ">i2"])
def test_either_byte_order_is_taken(levers: str, kind: str) -> None:
    swapped = np.dtype(kind)
    box = spaces.Box(-3, 3, (2,), swapped)  # pyright: ignore
    envs = make_vec(
        levers, 2, observation_space=box, convert=lambda o: np.array([1, -2]).astype(swapped)
    )
    agent = TRPO(envs.single_observation_space, envs.single_action_space)
    collector = Collector(envs, agent.sample, 15, seed=0)
    rollout = collector.collect()
    for seen in (rollout.observations[3], rollout.next_observations, rollout.final_observations):
        assert seen.tolist() == [[1, -2]] * 2
    assert collector.state_dict()["next"].tolist() == [[1, -2]] * 2
    assert envs.single_observation_space.dtype.isnative  # pyright: ignore


class Entry(gymnasium.vector.VectorEnv):
    """Its own vector environment, which pays what it was given."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    single_observation_space = VECTOR
    single_action_space = spaces.Discrete(2)

    def __init__(self, num_envs: int, max_episode_steps: int, kind: str = "f4", **own: int) -> None:
        self.num_envs, self.own = num_envs, own | {"steps": max_episode_steps}
        self._seen = np.full((num_envs, 2), 0.5, kind)

    def reset(self, **how: Any) -> tuple[np.ndarray, dict[str, Any]]:
        return self._seen, {}

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:  # pyright: ignore
        over = np.ones(self.num_envs, bool)
        return self._seen, np.zeros(self.num_envs), ~over, over, {"final_obs": self._seen}


@pytest.fixture
def entry() -> Iterator[str]:
    own = {"wrappers": 1, "vectorization_mode": 2}
    gymnasium.register("test/Entry-v0", vector_entry_point=Entry, max_episode_steps=9, kwargs=own)
    yield "test/Entry-v0"
    del gymnasium.registry["test/Entry-v0"]


def test_a_vector_of_ones_own_may_swap_bytes(entry: str) -> None:
    envs = make_vec(entry, 2, kind=">f4")
    agent = TRPO(envs.single_observation_space, envs.single_action_space)
    collector = Collector(envs, agent.sample, 3, seed=0)
    rollout = collector.collect()
    for seen in (rollout.next_observations, rollout.final_observations[:2]):
        assert seen.tolist() == [[0.5, 0.5]] * 2
    assert collector.state_dict()["next"].tolist() == [[0.5, 0.5]] * 2
    assert evaluate(lambda o: agent.act(o, deterministic=True), envs, 2)["length_mean"] == 1


def test_a_vector_of_ones_own_takes_parameters_of_any_name(entry: str) -> None:
    given = {"id": 3, "vector_kwargs": 4, "wrappers": 5, "lambda": 6}
    envs: Any = maker((), given)(entry, 2)
    assert envs.own == given | {"vectorization_mode": 2, "steps": 9}
    assert envs.num_envs == 2
    assert maker((), {"max_episode_steps": 7})(entry, 2).own["steps"] == 7


@pytest.mark.parametrize(
    ("index", "value", "told"),
    [
        (
            0,
            np.zeros((2, 3)),
            r"an array of shape \(2, 3\).* as observations; it must be of \(2, 2\)",
        ),
        (1, None, r"gave None as rewards; it must be of \(2,\)"),
        (1, np.zeros((2, 1)), r"shape \(2, 1\) and type float64 as rewards; it must be of \(2,\)"),
        (4, {}, r"ends an episode without info\['final_obs'\]"),
    ],
)
def test_what_a_vector_of_ones_own_must_give_is_told(
    entry: str, monkeypatch: pytest.MonkeyPatch, index: int, value: Any, told: str
) -> None:
    envs = make_vec(entry, 2)
    agent = TRPO(envs.single_observation_space, envs.single_action_space)
    collector, step = Collector(envs, agent.sample, 3, seed=0), envs.step
    monkeypatch.setattr(
        envs, "step", lambda a: (*step(a)[:index], value, *step(a)[index + 1 :]), raising=False
    )
    with pytest.raises(UsageError, match=told):
        collector.collect()


def test_a_vector_of_ones_own_may_give_torch_and_lists(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    envs = make_vec(entry, 2)
    agent = TRPO(envs.single_observation_space, envs.single_action_space)
    see = torch.full((2, 2), 0.5)
    monkeypatch.setattr(envs, "reset", lambda **_: (see, {}))
    ends = torch.ones(2, dtype=torch.bool)
    info = {"final_obs": see, "trot": 3}  # which is not for Trot
    monkeypatch.setattr(envs, "step", lambda a: (see, [1.0, 2.0], ~ends, ends, info))
    rollout = Collector(envs, agent.sample, 3, seed=0).collect()
    assert rollout.rewards.tolist() == [[1.0, 2.0]] * 3
    assert rollout.final_observations.tolist() == [[0.5, 0.5]] * 6
    judged = evaluate(lambda o: agent.act(o, deterministic=True), envs, 2)
    assert judged["return_mean"] == 1.5


def test_a_vector_that_resets_a_step_late_is_refused() -> None:
    class Late(Entry):
        metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    gymnasium.register("test/Late-v0", vector_entry_point=Late, max_episode_steps=9)
    with pytest.raises(UsageError, match=r"autoreset mode .*NEXT_STEP; set metadata"):
        make_vec("test/Late-v0", 2)
    del gymnasium.registry["test/Late-v0"]


class Pace(Enum):
    SLOW = "slow"
    FAST = "fast"


class Placed(gymnasium.Env):
    """Has parameters that JSON has no types for."""

    observation_space, action_space = VECTOR, spaces.Discrete(2)

    def __init__(self, folder: Path = Path(), pace: Pace = Pace.SLOW, name: str = "") -> None:
        self.own = (folder, pace, name)


def test_paths_and_enums_arrive_as_declared() -> None:
    kind: Any = Placed
    gymnasium.register("test/Placed-v0", kind)
    made: Any = make_vec("test/Placed-v0", 1, folder="a/b", pace="fast", name="c")
    assert made.envs[0].unwrapped.own == (Path("a/b"), Pace.FAST, "c")
    del gymnasium.registry["test/Placed-v0"]


@pytest.mark.parametrize("convert", [list, np.float64], ids=["a list", "float64"])
def test_observations_are_of_their_spaces_type(levers: str, convert: Any) -> None:
    """Whatever an environment gives, and though it writes the next one into the same array."""
    one = make_vec(levers, 2, convert=convert)
    one.reset(seed=3)
    for _ in range(12):
        one.step(np.zeros((2, 2), int))
    state = one.unwrapped.state_dict()
    make_vec(levers, 2, convert=convert).unwrapped.load_state_dict(state)  # it returns there


def test_a_reused_array_does_not_change_the_last_observation(levers: str) -> None:
    runs = []
    for reuse in (False, True):
        rollout = Collector(
            make_vec(levers, 2, reuse=reuse),
            lambda o: (torch.zeros(2, 2), np.zeros((2, 2), int)),
            15,
            seed=0,
        ).collect()
        runs.append(rollout.final_observations.clone())
    assert torch.equal(*runs)


@pytest.mark.slow
def test_learns_several_choices_at_once(levers: str) -> None:
    envs = make_vec(levers, 16)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    config = TRPOConfig(hidden=(32,), critic_hidden=(32,), gamma=0.5, max_kl=0.1)
    agent = TRPO(envs.single_observation_space, envs.single_action_space, config)
    collector = Collector(envs, agent.sample, 20, seed=0)
    for _ in range(40):
        agent.update(collector.collect())
    result = evaluate(lambda o: agent.act(o, deterministic=True), make_vec(levers, 4), 20, seed=1)
    assert result["return_mean"] > 19.5  # of 20; chance gets 8.3


@pytest.mark.parametrize(
    "space",
    [IMAGE, spaces.Dict({"a": IMAGE, "b": VECTOR}), spaces.Tuple([VECTOR, spaces.Dict(a=IMAGE)])],
)
def test_images_are_refused(levers: str, space: spaces.Space) -> None:
    with pytest.raises(ValueError, match="hold images"):
        make_vec(levers, 2, observation_space=space)


def test_unknown_id_is_named() -> None:
    with pytest.raises(ValueError, match="CartPoll"):
        make_vec("CartPoll-v1", 2)


@pytest.mark.parametrize("env_id", ["Ant-v3", "LunarLander-v3", "CartPole-v7"])
def test_an_id_that_gymnasium_cannot_make_is_named(env_id: str) -> None:
    with pytest.raises(UsageError, match=f"environment '{env_id}': "):
        make_vec(env_id, 2)


@pytest.mark.parametrize(
    ("env_id", "kwargs", "told"),
    [
        (
            "CartPole-v1",
            {"wrappers": ["gymnasium.wrappers.vector:ClipAction"]},
            "Expected env to be",
        ),
        ("Ant-v5", {"frame_skip": 0}, "division"),
        ("CartPole-v1", {"max_episode_steps": 0}, "positive"),
        ("Ant-v5", {"xml_file": "nofile.xml"}, "nofile.xml"),
    ],
)
def test_what_gymnasiums_own_refuse_is_told(env_id: str, kwargs: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=f"environment '{env_id}': .*{told}"):
        make_vec(env_id, 2, **kwargs)


@pytest.mark.parametrize(
    ("wrapper", "said"),
    [
        ("gymnasium.wrappers:RescaleAction", "missing a required argument: 'min_action'; name a f"),
        ("builtins:id", "id returned int .*; a wrapper must return a gymnasium.Env"),
        ("os:getcwd", "too many positional arguments"),
    ],
)
def test_what_is_no_wrapper_of_an_environment_alone_is_told(wrapper: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"^--wrapper.*{said}"):
        make_vec("CartPole-v1", 1, wrappers=[wrapper])


@pytest.mark.parametrize(
    "error", [ImportError("no my_maps"), ValueError("map"), gymnasium.error.InvalidAction("bad")]
)
def test_what_an_environment_raises_when_it_is_made_is_its_own(
    error: Exception, monkeypatch: pytest.MonkeyPatch, levers: str
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(Levers, "__init__", fail)
    with pytest.raises(type(error)) as caught:
        make_vec(levers, 2)
    assert caught.value is error


class Bare(gymnasium.Env):
    """Has spaces, if any."""

    def __init__(self, seen: Any = VECTOR, done: Any = VECTOR) -> None:
        for name, space in (("observation_space", seen), ("action_space", done)):
            if space is not None:
                setattr(self, name, space)


@pytest.fixture(params=[True, False], ids=["checked", "unchecked"])
def bare(request: pytest.FixtureRequest) -> Iterator[str]:
    """The id of an environment, which Gymnasium checks or not."""
    name = "test/Bare-v0"
    gymnasium.register(name, lambda **own: Bare(**own), disable_env_checker=not request.param)
    yield name
    del gymnasium.registry[name]


NO_VECTORS = [
    spaces.Dict(),
    spaces.Tuple(()),
    spaces.Tuple((VECTOR, spaces.Dict(a=spaces.Dict()))),
    spaces.Dict(a=spaces.Box(-1, 1, (0,))),
    spaces.Sequence(VECTOR),
    spaces.Space((3,), np.float32),
    "Box",
    None,
]


@pytest.mark.parametrize("space", NO_VECTORS, ids=range(len(NO_VECTORS)))
def test_observations_that_make_no_vector_are_refused_by_id(bare: str, space: Any) -> None:
    with pytest.raises(UsageError, match=f"^environment '{bare}': [^\\n]*$"):
        make_vec(bare, 2, seen=space)


@pytest.mark.parametrize("space", [spaces.Dict(), "Box", None], ids=["empty", "text", "none"])
def test_actions_of_no_space_are_refused_by_id(bare: str, space: Any) -> None:
    told = pytest.raises(UsageError, match=f"^environment '{bare}': [^\\n]*$")
    with told, named(bare, SpaceError):
        output_size(make_vec(bare, 2, done=space).single_action_space)
