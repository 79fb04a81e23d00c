"""What an environment returns: numbers that fit are taken, and one line names what does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from algos.nets.policy import output_size
from algos.rollout.checked import Vectors, close
from algos.rollout.collector import check_observation_space
from algos.rollout.environments import make_vec
from algos.rollout.repeatable import EpisodeError, RepeatableVectorEnv
from algos.rollout.vectors import vector
from algos.terminal import Signalled
from algos.usage import UsageError

FLOATS = spaces.Box(-np.inf, np.inf, (3,))
BYTES = spaces.Box(0, 255, (3,), np.uint8)


class Probe(gymnasium.Env):
    """Gives what a test asks for."""

    action_space = spaces.Discrete(2)

    def __init__(
        self,
        space: spaces.Space = FLOATS,
        first: Callable[[], Any] = lambda: (np.zeros(3), {}),
        then: Callable[[], Any] = lambda: (np.zeros(3), 1.0, False, False, {}),
        close: Callable[[], Any] = lambda: None,
        render_mode: str | None = None,
    ) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 50}
        self.observation_space, self.render_mode = space, render_mode
        self._first, self._then, self._close = first, then, close

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self._first()

    def step(self, action: int) -> Any:
        return self._then()

    def render(self) -> Any:
        sys.exit("the window was closed")

    def close(self) -> None:
        self._close()


class Careless(Probe):
    """Its reset is that of the old Gym."""

    def reset(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return np.zeros(3)


class Short(gymnasium.Wrapper):
    """Forgets info."""

    def step(self, action: int) -> Any:
        return super().step(action)[:4]


@pytest.fixture(autouse=True)
def probe() -> Iterator[None]:
    gymnasium.register("test/Probe-v0", lambda **kwargs: Probe(**kwargs), max_episode_steps=9)
    gymnasium.register("test/Careless-v0", lambda **kwargs: Careless(**kwargs))
    yield
    del gymnasium.registry["test/Probe-v0"], gymnasium.registry["test/Careless-v0"]


def envs(**kwargs: Any) -> RepeatableVectorEnv:
    made = make_vec("test/Probe-v0", 2, **kwargs)
    assert isinstance(made, RepeatableVectorEnv)
    return made


def ways(space: spaces.Space, observation: Any) -> dict[str, Any]:
    """Return an environment that gives an observation, whenever."""
    then = lambda: (observation, 0.0, False, False, {})  # noqa: E731
    return {"space": space, "first": lambda: (observation, {}), "then": then}


FITTING = [
    (BYTES, np.array([1, 2, 255])),
    (BYTES, np.array([1.0, 2.0, 255.0])),
    (BYTES, [1, 2, 255]),
    (FLOATS, np.array([1, 2, 255])),
    (FLOATS, np.array([1, 2, 255], object)),
    (FLOATS, [True, 2, np.float32(255)]),
    (spaces.Box(0, 255, (3, 1)), np.array([[1], [2], [255]])),
]


@pytest.mark.parametrize(("space", "value"), FITTING)
def test_numbers_that_fit_are_taken(space: spaces.Space, value: Any) -> None:
    made = envs(**ways(space, value))
    for seen in (made.reset()[0], made.step(np.zeros(2, int))[0]):
        assert seen.dtype == space.dtype
        np.testing.assert_array_equal(seen, [np.ravel(value)] * 2)


PAIR = spaces.Dict(a=spaces.Box(-1, 1, (2,)), b=spaces.Discrete(3))
MISFITS = [
    (BYTES, np.array([0.5, 2, 3]), "0.5 in observation, and its space has uint8"),
    (BYTES, [1, 2, 300], "300 in observation, and its space has uint8"),
    (BYTES, [1, 2, np.nan], "nan in observation"),
    (FLOATS, np.zeros((3, 1)), "(3, 1) and type float64 as observation; it must be numbers of sha"),
    (FLOATS, np.array([1, None, 3], object), "type object as observation; it must be numbers"),
    (FLOATS, [[1], [2, 3], []], "list [[1], [2, 3], []] as observation; it must be numbers of sha"),
    (FLOATS, [1, 2, 10**400], "as observation; it must be numbers of shape (3,)"),
    (FLOATS, "abc", "str 'abc' as observation; it must be numbers of shape (3,)"),
    (FLOATS, None, "None as observation; it must be numbers of shape (3,)"),
    (PAIR, {"a": np.zeros(2)}, "as observation; it must be a dict with 'a', 'b'"),
    (PAIR, {"a": np.zeros(3), "b": 1}, "as observation['a']; it must be numbers of shape (2,)"),
    (PAIR, {"a": np.zeros(2), "b": 7}, "int 7 as observation['b']; it must be of Discrete(3)"),
    (spaces.Discrete(3), -1, "int -1 as observation; it must be of Discrete(3)"),
    (spaces.Discrete(3, start=5), 4, "int 4 as observation; it must be of Discrete(3, start=5)"),
    (spaces.MultiDiscrete([2, 3]), [2, 0], "2 in observation; it must be of MultiDiscrete([2 3])"),
    (spaces.MultiDiscrete([2, 3]), np.array([0, -1]), "-1 in observation; it must be of MultiD"),
    (spaces.MultiBinary(3), [0.5, 7, -3], "0.5 in observation; it must be of MultiBinary(3)"),
    (spaces.Discrete(3), 1.0, "float 1.0 as observation; it must be of Discrete(3)"),
    (spaces.Tuple([FLOATS, FLOATS]), np.zeros(3), "it must be a tuple of 2"),
]


@pytest.mark.parametrize(("space", "value", "told"), MISFITS)
def test_observations_that_do_not_are_named(space: spaces.Space, value: Any, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)) as caught:
        envs(**ways(space, value)).reset()
    assert str(caught.value).startswith("test/Probe-v0: Probe.reset returned ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (np.zeros(3), "an array of shape (3,) and type float64; it must return a tuple (obs"),
        ([0.0, 0.0, 0.0], "list [0.0, 0.0, 0.0]; it must return a tuple (obs"),
        ([0.0, 0.0], "float 0.0 as info, which must be a dict"),
        ((np.zeros(3),), "1 values; it must return a tuple (observation, info)"),
        ((np.zeros(3), None), "None as info, which must be a dict"),
    ],
)
def test_a_reset_of_another_form_is_named(result: Any, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"Probe.reset returned {told}")):
        envs(first=lambda: result).reset()


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "None; it must return a tuple (observation, reward, terminated, truncated, info)"),
        ((np.zeros(3), 0.0, False, {}), "4 values; it must return a tuple (observation, reward"),
        ((np.zeros(3), 0.0, False, False, None), "None as info, which must be a dict"),
        *(
            ((np.zeros(3), reward, False, False, {}), f"the reward {shown}")
            for reward, shown in [
                (None, "None; it must be a number"),
                (np.zeros(2), "an array of shape (2,)"),
                ("3.5", "str '3.5'; it must be a number"),
                (np.array("3.5"), "an array of shape () and type <U3; it must be a number"),
                (["3.5"], "list ['3.5']; it must be a number"),
                (1j, "complex 1j; it must be a number"),
                (torch.zeros(2), "Tensor tensor([0., 0.]); it must be a number"),
                (10**400, "int 100000000000000000...0000000000000000000; it must be finite in flo"),
                (10**5000, "int; it must be finite in float64"),
            ]
        ),
        *(
            ((np.zeros(3), 0.0, *ends, {}), shown)
            for ends, shown in [
                (("no", False), "str 'no' as terminated; it must be True or False"),
                ((None, False), "None as terminated"),
                ((2, False), "int 2 as terminated"),
                ((False, np.nan), "float nan as truncated"),
                ((False, np.zeros(2, bool)), "an array of shape (2,) and type bool as truncated"),
            ]
        ),
    ],
)
def test_a_step_of_another_form_is_named(result: Any, told: str) -> None:
    made = envs(then=lambda: result)
    made.reset()
    with pytest.raises(UsageError, match=re.escape(f"test/Probe-v0: Probe.step returned {told}")):
        made.step(np.zeros(2, int))


REWARDS = [2, np.float32(2), np.array([2.0]), np.array(2), True + 1, Fraction(2), [2.0]]
GRAPHS = [torch.ones(shape, requires_grad=True) * 2 for shape in ((), (1,))]


@pytest.mark.parametrize("reward", [*REWARDS, *GRAPHS])
def test_a_reward_is_any_one_number(reward: Any) -> None:
    made = envs(then=lambda: (np.zeros(3), reward, False, False, {}))
    made.reset()
    assert made.step(np.zeros(2, int))[1].tolist() == [2, 2]


@pytest.mark.parametrize("end", [True, np.True_, 1, 1.0, np.array(True), torch.tensor(True)])
def test_an_end_is_any_yes_or_no(end: Any) -> None:
    made = envs(then=lambda: (np.zeros(3), 0.0, end, not end, {}))
    made.reset()
    _, _, terminated, truncated, _ = made.step(np.zeros(2, int))
    assert (terminated.tolist(), truncated.tolist()) == ([True, True], [False, False])


CHOICES = [
    (spaces.Discrete(3, start=-1), np.int32(-1), [1, 0, 0]),
    (spaces.Discrete(3), np.array(2), [0, 0, 1]),
    (spaces.MultiDiscrete([2, 3], np.uint8, start=[0, 253]), [1, 255], [0, 1, 0, 0, 1]),
    (spaces.MultiBinary(3), [True, 0.0, 1], [1, 0, 1]),
]


@pytest.mark.parametrize(("space", "value", "flat"), CHOICES)
def test_choices_that_fit_are_taken(space: spaces.Space, value: Any, flat: list[int]) -> None:
    assert vector(space, np.dtype(np.int64), value).tolist() == flat


def test_an_observation_of_torch_leaves_its_graph() -> None:
    made = envs(**ways(FLOATS, torch.ones(3, requires_grad=True)))
    assert made.reset()[0].tolist() == [[1, 1, 1]] * 2


def test_a_reset_without_a_seed_is_named() -> None:
    need = r"Careless\.reset: .*'seed'; it must be reset\(self, seed=None, options=None\)"
    with pytest.raises(UsageError, match=need):
        make_vec("test/Careless-v0", 2)


def test_a_wrapper_is_named_like_an_environment() -> None:
    made = RepeatableVectorEnv([lambda: Vectors(Short(Probe()))])
    made.reset()
    with pytest.raises(UsageError, match=r"^Short\.step returned 4 values"):
        made.step(np.zeros(1, int))


def test_a_call_of_exit_ends_no_program() -> None:
    made = envs(render_mode="rgb_array")
    made.reset()
    with pytest.raises(RuntimeError, match=r"sys.exit\('the window was closed'\)") as caught:
        made.render()
    assert caught.traceback[-1].name == "render"
    assert caught.traceback[-1].path.name == "test_checked.py"


def test_a_signal_does() -> None:
    def end() -> None:
        raise Signalled(143)

    with pytest.raises(SystemExit) as caught:
        envs(first=end).reset()
    assert caught.value.code == 143


def test_an_environment_that_cannot_be_closed_costs_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed = []

    def close() -> None:
        closed.append(1)
        raise OSError("socket gone")

    for _ in range(2):
        envs(close=close).close()
    assert len(closed) == 4
    (record,) = caplog.records
    told = r"test/Probe-v0: Probe\.close failed: OSError: socket gone \(.*test_checked.py:\d+\)$"
    assert re.match(told, record.message)


def test_nor_do_many_at_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(VectorEnv):
        def close(self, **kwargs: Any) -> None:
            raise OSError("socket gone")

    close(Broken())
    assert "Broken.close failed: OSError: socket gone" in caplog.text


def test_what_cannot_be_played_again_says_why() -> None:
    made = envs()
    made.reset()
    made.step(np.zeros(2, int))
    state = made.state_dict()
    broken = envs(then=lambda: None)
    with pytest.raises(EpisodeError, match=r"again: UsageError: .*Probe\.step returned None"):
        broken.load_state_dict(state)


def test_nothing_to_see_or_to_do_is_refused() -> None:
    empty = spaces.Box(-1, 1, (0,))
    with pytest.raises(UsageError, match="is empty"):
        check_observation_space(empty)
    for space in (empty, spaces.MultiDiscrete(np.empty(0, int)), spaces.Dict(a=FLOATS)):
        with pytest.raises(UsageError, match=r"at least one entry: .* gymnasium.ActionWrapper"):
            output_size(space)
