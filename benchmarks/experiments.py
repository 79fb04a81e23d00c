"""Named experiments whose results are kept in a file, for benchmarks that run some of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def gather(
    names: Iterable[str], known: Iterable[str], file: Path, run: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """Run experiments, each kept in the file as soon as it is done, and return all of the file's.

    Raises:
        SystemExit: a name that is not known.
    """
    known, names = list(known), list(names)
    for name in names:
        if name not in known:
            raise SystemExit(f"no experiment {name!r}; choose from {', '.join(known)}")
    for name in names:
        result = run(name)
        results = kept(file) | {name: result}  # another run may have written meanwhile
        ordered = {n: results[n] for n in known if n in results}
        file.write_text(json.dumps(ordered, indent=2) + "\n")
    return kept(file)


def kept(file: Path) -> dict[str, Any]:
    """Return the results that a file holds."""
    return json.loads(file.read_text()) if file.exists() else {}
