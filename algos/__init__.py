"""How a policy learns. Knows vector environments and nothing of robots."""

from algos.config import TRPOConfig
from algos.trpo import TRPO

ALGORITHMS = {
    "trpo": (TRPO, TRPOConfig),
}
