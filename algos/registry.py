"""The algorithms by their names."""

from algos.agent import AgentConfig, Algorithm
from algos.ppo.config import PPOConfig
from algos.ppo.ppo import PPO
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from algos.usage import UsageError

ALGORITHMS: dict[str, tuple[Algorithm, type[AgentConfig]]] = {
    "trpo": (TRPO, TRPOConfig),
    "ppo": (PPO, PPOConfig),
}
"""Name, as `train.py --algo` takes it -> what makes its agents, and its settings."""
DEFAULT_ALGORITHM = "trpo"


def registered(name: str) -> tuple[Algorithm, type[AgentConfig]]:
    """Return what is registered under a name.

    Raises:
        ValueError: nothing is.
    """
    if name not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise UsageError(f"--algo is {name!r}; the algorithm must be one of {known}")
    return ALGORITHMS[name]
