"""Environments that can be put back where they stood, by playing their episodes again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv

from algos.usage import UsageError, reason

LONGEST = 10_000
"""Steps of an episode beyond which it is not remembered."""


class NotRepeatableError(ValueError):
    """An environment did not return to where it stood."""


class EpisodeError(Exception):
    """An environment failed where a checkpoint's episodes go on; what it raised is the cause."""


class Repeatable(gymnasium.Wrapper):
    """Remembers how its episode began, and every action since.

    Playing them again leads to the same state, to the last bit, in every environment that is
    deterministic but for its `np_random` and starts every episode from `reset` alone.

    `info` is empty: an environment's own is its own, of whatever type and shape, and merging
    several would ask for more.
    """

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode, as the environment does."""
        self._seed = seed
        self._generator = {} if seed is not None else _state(self.unwrapped)
        self._actions: list[np.ndarray] = []
        self._return = 0.0
        observation, _ = self.env.reset(seed=seed, options=options)
        return observation, {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, as the environment does."""
        if len(self._actions) <= LONGEST:
            self._actions.append(np.array(action))
        observation, reward, terminated, truncated, _ = self.env.step(action)
        self._return += float(reward)
        return observation, reward, terminated, truncated, {}

    def state_dict(self) -> dict[str, Any]:
        """Return the episode so far: its generator or seed, actions (steps, ...) and return."""
        known = self._actions if len(self._actions) <= LONGEST else []
        actions = {"actions": np.stack(known)} if known else {}
        whole = len(known) == len(self._actions) and self._generator is not None
        begun = {"seed": self._seed, "generator": self._generator, "return": self._return}
        return begun | {"whole": whole} | actions

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Play an episode again and return its last observation.

        Raises:
            EpisodeError: the environment fails.
            NotRepeatableError: its rewards add up to another return, as where a wrapper scales
                them by what it saw in episodes before.
        """
        if state["seed"] is None:
            _restore(_generator(self.unwrapped), state["generator"])
        try:
            observation, _ = self.reset(seed=state["seed"])
            for action in state.get("actions", ()):
                observation, *_ = self.step(action)
        except Exception as error:
            problem = f"an episode of the checkpoint cannot be played again: {reason(error)}"
            raise EpisodeError(problem) from error
        self._generator = state["generator"]
        if not np.array_equal(self._return, state.get("return", self._return), equal_nan=True):
            raise NotRepeatableError("an episode played again has another return")
        return observation


class RepeatableVectorEnv(SyncVectorEnv):
    """Single environments in turn, each `Repeatable`, with a state that a checkpoint can hold."""

    def state_dict(self) -> dict[str, Any]:
        """Return every environment's episode so far, and the observations (n, O) it led to."""
        episodes = {str(i): episode for i, episode in enumerate(self.call("state_dict"))}
        return {"episodes": episodes, "observations": np.copy(self._observations)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Play the episodes again.

        Raises:
            NotRepeatableError: they do not lead to the same observations.
            ValueError: they are of another number of environments.
        """
        episodes = state["episodes"]
        if len(episodes) != self.num_envs:
            raise UsageError(f"{len(episodes)} environments, not {self.num_envs}")
        if not all(episode["whole"] for episode in episodes.values()):
            raise NotRepeatableError("the environments cannot return to where they stood")
        found = [
            env.get_wrapper_attr("load_state_dict")(episodes[str(i)])
            for i, env in enumerate(self.envs)
        ]
        if not np.array_equal(np.stack(found), state["observations"], equal_nan=True):
            raise NotRepeatableError("the environments did not return to where they stood")


def _generator(env: Any) -> Any:
    """Return what an environment calls its generator, None where it refuses to."""
    with suppress(Exception):  # of a property of its own
        return env.np_random
    return None


def _state(env: Any) -> dict[str, Any] | None:
    """Return the state of NumPy's Generator, or of the RandomState that dm_control has.

    None where an environment has another kind of chance, whose state cannot be told.
    """
    generator = _generator(env)
    if isinstance(generator, np.random.RandomState):
        return dict(generator.get_state(legacy=False))
    if isinstance(generator, np.random.Generator):
        return dict(generator.bit_generator.state)
    return None


def _restore(generator: Any, state: dict[str, Any]) -> None:
    if isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        raise NotRepeatableError("an environment has no generator any more")
