"""Who acts: nothing, chance, or a trained policy."""

from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from algos.agent import Act, Agent, symmetry_of
from algos.nets.action_space import sampling_space
from algos.registry import registered
from algos.runs.codec import from_plain
from algos.usage import UsageError

AgentName = Literal["trained", "zero", "random"]


def by_name(
    name: AgentName,
    content: dict[str, Any] | None,
    envs: VectorEnv,
    n: int,
    seed: int,
    device: str = "auto",
) -> Act:
    """The agent of a name, acting in n environments like these.

    Raises:
        ValueError: a trained one without a checkpoint's content, or see `load_agent`.
    """
    if name == "zero":
        return zero_agent(envs.single_action_space, n)
    if name == "random":
        return random_agent(envs.single_action_space, n, seed)
    if content is None:
        raise UsageError("an environment alone has no policy: give --agent zero or random")
    return trained_agent(content, envs, device)


def zero_agent(action_space: spaces.Space, n: int) -> Act:
    """Always the action zero, or the nearest to it that there is, in n environments."""
    zeros: Any = create_empty_array(action_space, n)
    concatenate(action_space, [_nearest_to_zero(action_space)] * n, zeros)
    return lambda observations: zeros


def _nearest_to_zero(space: spaces.Space) -> Any:
    if isinstance(space, spaces.Box):
        return np.clip(np.zeros_like(space.low), space.low, space.high)
    if isinstance(space, spaces.Discrete):
        return np.clip(0, space.start, space.start + space.n - 1)
    if isinstance(space, spaces.MultiDiscrete):
        return np.clip(np.zeros_like(space.start), space.start, space.start + space.nvec - 1)
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(space.shape, space.dtype)
    if isinstance(space, spaces.Dict):
        return {name: _nearest_to_zero(part) for name, part in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(map(_nearest_to_zero, space))
    raise UsageError(f"action space {space} has nothing like a zero: give --agent random")


def random_agent(action_space: spaces.Space, n: int, seed: int) -> Act:
    """Actions drawn uniformly from the space, in n environments."""
    space = sampling_space(batch_space(action_space, n))
    space.seed(seed)
    return lambda observations: space.sample()


def trained_agent(content: dict[str, Any], envs: VectorEnv, device: str = "auto") -> Act:
    """The deterministic policy of a checkpoint; see `load_agent`."""
    agent = load_agent(content, envs, device)
    torch.set_num_threads(1)  # a second thread costs more than it saves on so small a network
    return lambda observations: agent.act(observations, deterministic=True)


def load_agent(content: dict[str, Any], envs: VectorEnv, device: str = "auto") -> Agent:
    """The agent of a checkpoint, its policy and normaliser restored, for environments like these.

    Args:
        content: of the checkpoint; critic and optimizer may be missing.
        envs: environments with the spaces that the policy learned in.
        device: auto, cpu or cuda; auto takes CUDA where there is one.

    Raises:
        ValueError: the checkpoint lacks something, or was made for other spaces.
    """
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise UsageError("device is cuda, but torch sees no CUDA device; take cpu")
    try:
        _require_width(content, envs)
        make, config = registered(content["algorithm"])
        agent = make(
            envs.single_observation_space,
            envs.single_action_space,
            from_plain(config(), content["algo_config"]),
            symmetry=symmetry_of(envs),
            device="cuda" if cuda and device != "cpu" else "cpu",
        )
        agent.policy.load_state_dict(content["algo"]["policy"])
        agent.normalizer.load_state_dict(content["algo"]["normalizer"])
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        problem = " ".join(str(error).split())
        raise UsageError(f"the checkpoint does not fit the environment: {problem}") from error
    return agent


def _require_width(content: dict[str, Any], envs: VectorEnv) -> None:
    """Raise ValueError where observations are not as wide as the policy's."""
    known, shape = content["algo"]["normalizer"]["mean"].shape, envs.single_observation_space.shape
    if known != shape:
        where = " on ".join(str(content[n]) for n in ("env_id", "robot") if content.get(n))
        raise UsageError(
            f"the checkpoint does not fit the environment: its policy takes {known[0]} "
            f"observations, and here are {shape and shape[0]}; it learned in {where}, play it there"
        )
