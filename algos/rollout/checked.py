"""What single environments return, checked where they return it: one line names what is wrong."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, NoReturn, TypeVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor

from algos.rollout.vectors import (
    MisfitError,
    NotANumberError,
    leaves,
    native,
    single,
    told,
    vector,
)
from algos.terminal import Signalled
from algos.usage import UsageError, placed

log = logging.getLogger(__name__)

T = TypeVar("T")


class Checked(gymnasium.Wrapper):
    """Passes on what an environment returns, if it has the parts that Gymnasium asks for.

    Raises:
        UsageError: it lacks some, or `reset` takes no seed and options.
        RuntimeError: the environment called `sys.exit`, which ends a program without a word.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        try:
            inspect.signature(env.reset).bind(seed=None, options=None)
        except TypeError as error:
            self._refuse(f"reset: {error}; it must be reset(self, seed=None, options=None)")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode, as the environment does."""
        result: Any = without_exit(lambda: self.env.reset(seed=seed, options=options))
        need = "a tuple (observation, info)"
        observation, info = self._parts("reset", result, 2, need)
        return self._seen("reset", observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, as the environment does."""
        result: Any = without_exit(lambda: self.env.step(action))
        need = "a tuple (observation, reward, terminated, truncated, info)"
        observation, reward, terminated, truncated, info = self._parts("step", result, 5, need)
        terminated = self._said("terminated", terminated)
        truncated = self._said("truncated", truncated)
        return self._seen("step", observation), self._paid(reward), terminated, truncated, info

    def render(self) -> Any:
        """Return what the environment shows."""
        return without_exit(self.env.render)

    def close(self) -> None:
        """Close the environment; see `close`."""
        close(self.env, self._name)

    def _parts(
        self, method: str, result: Any, number: int, need: str
    ) -> tuple[Any, ...] | list[Any]:
        if not isinstance(result, tuple | list):
            self._refuse(f"{method} returned {told(result)}; it must return {need}")
        if len(result) != number:
            what = f"{len(result)} values" if isinstance(result, tuple) else told(result)
            self._refuse(f"{method} returned {what}; it must return {need}")
        if not isinstance(result[-1], dict):
            what = f"{told(result[-1])} as info, which must be a dict"
            self._refuse(f"{method} returned {what}; it must return {need}")
        return result

    def _seen(self, method: str, observation: Any) -> Any:
        try:
            for _ in leaves(self.env.observation_space, observation):
                pass
        except MisfitError as error:
            self._refuse(f"{method} returned {error}")
        return observation

    def _said(self, name: str, answer: Any) -> bool:
        if answer is True or answer is False:
            return answer
        with suppress(NotANumberError):
            if (number := single(answer)) in (0, 1):
                return bool(number)
        return self._refuse(f"step returned {told(answer)} as {name}; it must be True or False")

    def _paid(self, reward: Any) -> Any:
        if not isinstance(reward, float):
            try:
                single(reward)
            except NotANumberError as error:
                self._refuse(f"step returned the reward {told(reward)}; it must be {error}")
        return reward.detach().cpu() if isinstance(reward, Tensor) else reward

    def _refuse(self, problem: str) -> NoReturn:
        raise UsageError(f"{self._name}.{problem}") from None

    @property
    def _name(self) -> str:
        """The id, and the class whose method may have to be mended."""
        own = self.env
        while isinstance(own, gymnasium.Wrapper) and (isinstance(own, Checked) or _is_known(own)):
            own = own.env
        spec = own.unwrapped.spec
        return f"{spec.id}: {type(own).__name__}" if spec else type(own).__name__


class Vectors(Checked):
    """Gives observations as vectors, and rewards as floats.

    Vectors are copies in the type of their space and in this machine's byte order, for an
    environment may write the next observation into the same array. See
    `algos.rollout.vectors.vector` for what fits.

    Raises:
        UsageError: an observation or a reward does not.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self._space = env.observation_space
        flat: Any = spaces.flatten_space(env.observation_space)
        low, high = native(flat.low), native(flat.high)
        self.observation_space = spaces.Box(low, high, dtype=low.dtype.type)

    def _seen(self, method: str, observation: Any) -> np.ndarray:
        try:
            return vector(self._space, np.dtype(self.observation_space.dtype), observation)
        except MisfitError as error:
            self._refuse(f"{method} returned {error}")

    def _paid(self, reward: Any) -> float:
        return reward if isinstance(reward, float) else single(super()._paid(reward))


def check_within(env: gymnasium.Env) -> gymnasium.Env:
    """Check what is in Gymnasium's own wrappers, which take what it returns for granted."""
    outer, inner = None, env
    while isinstance(inner, gymnasium.Wrapper) and _is_known(inner):
        outer, inner = inner, inner.env
    if outer is None:
        return Checked(env)
    outer.env = Checked(inner)
    return env


def close(envs: gymnasium.Env | VectorEnv, name: str | None = None) -> None:
    """Close environments; where that fails there is nothing left to lose, and a warning says it."""
    try:
        without_exit(envs.close)
    except Exception as error:
        _warn_once(f"{name or type(envs.unwrapped).__name__}.close failed: {placed(error)}")


@cache
def _warn_once(text: str) -> None:
    log.warning("%s", text)


def _is_known(env: gymnasium.Env) -> bool:
    """Whether an environment or a wrapper is Gymnasium's."""
    return type(env).__module__.startswith("gymnasium.")


def without_exit(call: Callable[[], T]) -> T:
    """Return what a call of the user's code does, or where it called `sys.exit`, as an error."""
    try:
        return call()
    except Signalled:
        raise
    except SystemExit as error:
        code = "" if error.code is None else repr(error.code)
        raise RuntimeError(f"sys.exit({code}) was called").with_traceback(
            error.__traceback__
        ) from None
