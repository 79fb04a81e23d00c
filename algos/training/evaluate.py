"""Returns of a deterministic policy."""

from collections.abc import Callable

import numpy as np
from gymnasium.vector import VectorEnv

from algos.rollout.collector import check_envs, own
from algos.rollout.vectors import batch


def side_by_side(episodes: int, most: int = 10) -> int:
    """Return in how many environments, at most, so many episodes are as many in each."""
    return next(n for n in range(min(episodes, most), 0, -1) if episodes % n == 0)


def evaluate(
    act: Callable[[np.ndarray], np.ndarray],
    envs: VectorEnv,
    episodes: int,
    seed: int | None = None,
    max_length: int = 10_000,
) -> dict[str, float]:
    """Run `episodes` whole episodes and summarise their undiscounted returns.

    Every environment runs the same number of episodes, the first ones that it starts, so that
    short episodes are not favoured; `episodes` is rounded up to a multiple of `num_envs`.

    Args:
        act: observations (n, O) to the environment's actions.
        envs: a vector environment in AutoresetMode.SAME_STEP.
        episodes: least number of episodes.
        seed: seed of the environments' reset.
        max_length: steps after which an episode that does not end counts as it is; what is left of
            it counts only if it is as long again.

    Returns:
        `return_mean`, `return_std`, `return_min`, `length_mean`, `episodes`, and the mean of every
        array of info["trot"]["episode_means"] under its own name.

    Raises:
        ValueError: unsuitable environments, see `algos.rollout.rollout.check_envs`.
    """
    check_envs(envs)
    n = envs.num_envs
    quota = -(-episodes // n)
    returns: list[float] = []
    lengths: list[int] = []
    terms: dict[str, list[np.ndarray]] = {}
    done_count = np.zeros(n, dtype=np.int64)
    running, length, cut = np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    observations, _ = envs.reset(seed=seed)
    shape = (n, *(envs.single_observation_space.shape or ()))
    while (done_count < quota).any():
        observations, reward, terminated, truncated, info = envs.step(
            act(batch(observations, shape, "observations"))
        )
        running += batch(reward, (n,), "rewards")
        length += 1
        ended = batch(terminated, (n,), "terminated") | batch(truncated, (n,), "truncated")
        done = (ended & ~cut) | (length >= max_length)
        counted = done & (done_count < quota)
        returns += running[counted].tolist()
        lengths += length[counted].tolist()
        for name, values in own(info).get("episode_means", {}).items():
            terms.setdefault(name, []).append(np.asarray(values)[counted & ended])
        done_count += done
        cut = (cut | done) & ~ended
        running[done | ended], length[done | ended] = 0.0, 0
    return {
        "return_mean": float(np.mean(returns)),
        "return_std": float(np.std(returns)),
        "return_min": float(np.min(returns)),
        "length_mean": float(np.mean(lengths)),
        "episodes": float(len(returns)),
        **{name: float(np.concatenate(values).mean()) for name, values in terms.items()},
    }
