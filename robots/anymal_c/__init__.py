"""ANYmal C, as primitives from published figures and as the meshed original."""

from robots.anymal_c.meshed import ROBOT as MESHED
from robots.anymal_c.model import ROBOT

__all__ = ["MESHED", "ROBOT"]
