"""How paths, which may be any bytes, are shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from shlex import quote


def quoted(path: Path) -> str:
    """Return a path as one word that a shell reads back, whatever its name: `./-run`, `'my run'`.

    What cannot be shown, a byte that is no UTF-8 for example, stands as bash, ksh and zsh read it,
    and sh since POSIX 2024: `$'caf\\351'`.
    """
    text = str(path)
    if re.match("-|[^/]*:", text):  # neither an option nor an address
        text = f"./{text}"
    return quote(text) if text.isprintable() else f"$'{''.join(map(_shown, text))}'"


def _shown(character: str) -> str:
    if character.isprintable() and character not in "\\'":
        return character
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(character))


def legible(text: str) -> str:
    """Return text that any encoder takes: what stands for bytes that are no UTF-8 is escaped."""
    return text.encode(errors="backslashreplace").decode()
