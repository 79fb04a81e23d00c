"""What git tells of the code that runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

MAX_DIFF = 2**20
"""Bytes that a run keeps of the code's uncommitted changes."""
CODE = (":(top,glob)*.py", ":(top)algos", ":(top)envs", ":(top)robots", ":(top)trot")
"""Where a new file is code, for git; a user's data and environments beside it are not."""


def code_state() -> dict[str, str | None]:
    """Return the commit and the uncommitted diff of this code, None where git cannot tell.

    New files of code are in the diff though nobody has added them. Bytes that are no UTF-8 are
    replaced, and of a huge diff there is the beginning.
    """
    here = Path(__file__).parent
    plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--submodule=short")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    with _knowing_new_files(here) as index:
        return {
            "commit": _git(here, "rev-parse", "HEAD"),
            "diff": _git(here, "diff", *plain, *prefixes, "HEAD", **index),
        }


@contextmanager
def _knowing_new_files(folder: Path) -> Iterator[dict[str, str]]:
    """Give git's variable for a copy of the index that has the new files of code, if there are any.

    The user's own index stays as it is, and is what git takes where a copy cannot be had.
    """
    new = _git(folder, "ls-files", "--full-name", "--others", "--exclude-standard", "-z", *CODE)
    own = _git(folder, "rev-parse", "--git-path", "index")
    names = [f":(top,literal){name}" for name in (new or "").split("\0") if name]
    with ExitStack() as stack:
        copy = {}
        with suppress(OSError):
            drafts = stack.enter_context(TemporaryDirectory())
            index = shutil.copyfile(folder / (own or ""), Path(drafts) / "index")
            copy = {"GIT_INDEX_FILE": str(index)}
        add = ("add", "--intent-to-add", "--", *names)
        added = names and copy and _git(folder, *add, **copy) is not None
        yield copy if added else {}


def _git(folder: Path, *arguments: str, **variables: str) -> str | None:
    """Return the first MAX_DIFF bytes that git prints, None where it fails.

    Git may refuse a folder of another user, the usual case in a container; but whoever asks is
    running the code of this one already. Within a hook, variables point it to another repository.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "safe.directory=*", *arguments]
    env, lost = own | variables, subprocess.DEVNULL
    try:
        with subprocess.Popen(
            command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=lost
        ) as git:
            assert git.stdout is not None
            patience = Timer(20, git.kill)
            patience.start()
            kept = git.stdout.read(MAX_DIFF)
            left = sum(map(len, iter(partial(git.stdout.read, MAX_DIFF), b"")))
            patience.cancel()
    except OSError:
        return None
    text = kept.decode(errors="replace").strip("\n")
    more = f"\n[{left:,} more bytes are left out]" if left else ""
    return None if git.returncode else text + more
