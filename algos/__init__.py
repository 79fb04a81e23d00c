"""How a policy learns. Knows vector environments and nothing of robots."""

from algos.trpo import TRPO, TRPOConfig

ALGORITHMS = {
    "trpo": (TRPO, TRPOConfig),
}
