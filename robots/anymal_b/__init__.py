"""ANYmal B, as primitives from published figures."""

from robots.anymal_b.model import ROBOT

__all__ = ["ROBOT"]
