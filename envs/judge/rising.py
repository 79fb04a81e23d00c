"""How robots get up: when each one is upright, and when it stands, for good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.mdp.recording import Recording
from envs.mdp.recovery import POSE, time_to_stance, time_to_upright


@dataclass(frozen=True)
class Rising:
    """Times from the drop on (s), (n,) each; infinite for robots that never are."""

    upright: np.ndarray
    """Until the base leans less than `envs.mdp.recovery.POSE` allows, to the end."""
    stance: np.ndarray
    """Until the joints are in the nominal pose, too."""
    seconds: float
    """How long the robots were watched."""

    def quantiles(self) -> dict[str, float]:
        """Return the share of robots that are upright in the end, and when half and 95 % are (s).

        Those that never are count as slower than all others.
        """
        return {
            "upright": float(np.isfinite(self.upright).mean()),
            "median": float(np.quantile(self.upright, 0.5, method="higher")),
            "p95": float(np.quantile(self.upright, 0.95, method="higher")),
        }


def times(recording: Recording) -> Rising:
    """Return when the robots of a recording got up."""
    upright = time_to_upright(recording, tilt=POSE["tilt"])
    stance = time_to_stance(recording, **POSE)
    return Rising(
        np.nan_to_num(upright, nan=np.inf),
        np.nan_to_num(stance, nan=np.inf),
        len(recording.alive) * recording.dt,
    )
