"""How a policy learns. Knows vector environments and nothing of robots."""

from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO

ALGORITHMS = {
    "trpo": (TRPO, TRPOConfig),
}
