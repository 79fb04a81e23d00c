"""What is known of a robot, printed and drawn: `python play.py --inspect ROBOT`."""

from __future__ import annotations

from pathlib import Path

from algos import terminal
from algos.runs.files import whole
from envs.show import inspection, portrait
from robots import explain


def show(name: str, out: Path | None) -> None:
    """Print the tables of a robot, and draw it with the names of its parts.

    Args:
        name: as `robots.get_robot` takes it.
        out: the picture's file; by default NAME_inspect.png.
    """
    found = explain(name)
    picture = terminal.absolute(out or f"{Path(name).stem}_inspect.png")
    for table in inspection.tables(found):
        terminal.console().print(table)
    with whole(picture) as draft:
        portrait.draw(found.robot, draft)
    print(f"picture: {picture}", file=terminal.stdout())
