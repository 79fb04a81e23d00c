"""Which settings of a task have an effect only beside another one."""

from __future__ import annotations

from typing import Any

from envs.task import TaskConfig

SWITCHES: dict[str, dict[str, tuple[str, Any]]] = {
    "randomization": {
        **dict.fromkeys(("start_tilt", "start_joint", "start_velocity"), ("start_state", True)),
        "mass_range": ("mass", True),
        "com_shift": ("com", True),
        "friction_range": ("friction", True),
        "gains_range": ("gains", True),
        **dict.fromkeys(("push_speed", "push_interval"), ("pushes", True)),
    },
    "protocol": {
        **dict.fromkeys(("start_tilt", "start_joint"), ("start_state", True)),
        **dict.fromkeys(("push_speed", "push_interval"), ("pushes", True)),
    },
    "action": {"scale": ("mode", "pd")},
}
"""Part of a task -> setting -> the one that it needs, and its value."""


def require_effect(task: TaskConfig, preset: TaskConfig) -> None:
    """Raise ValueError for a setting that was changed from the preset and has no effect."""
    for part, needs in SWITCHES.items():
        new, old = getattr(task, part), getattr(preset, part)
        for name, (switch, value) in needs.items():
            if getattr(new, name) != getattr(old, name) and getattr(new, switch) != value:
                flag, other = (f"--env.{part}.{n}".replace("_", "-") for n in (name, switch))
                fix = other if value is True else f"{other} {value}"
                raise ValueError(f"{flag} has no effect without {fix}: give it too, or leave it")
