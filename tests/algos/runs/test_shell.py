"""A pasted command reaches the folder that it names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from algos.runs.shell import quoted

NAMES = [b"run", b"-run", b"--help", b"my run", b"~", b"it's $HOME", b"wandb:a", b"caf\xe9"]
NAMES += [
    b"\xe9\xff'\\n",
    b"two\nlines",
    b"\x1b[31m",
    "café".encode(),
    b"-caf\xe9 7",
    b"runs/-s1:2",
]


def test_a_shell_reads_back_every_name() -> None:
    paths = [Path(os.fsdecode(name)) for name in NAMES]
    command = f"printf '%s\\0' {' '.join(map(quoted, paths))}"
    read = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, check=True).stdout
    assert [Path(os.fsdecode(word)) for word in read.split(b"\0")[:-1]] == paths


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("-run", "./-run"),
        ("runs/-run", "runs/-run"),
        ("/tmp/-run", "/tmp/-run"),
        ("wandb:2", "./wandb:2"),
        ("my run", "'my run'"),
        ("caf\udce9/it's", "$'caf\\351/it\\047s'"),
        ("a\nb", "$'a\\012b'"),
    ],
)
def test_it_is_one_line_and_neither_an_option_nor_an_address(path: str, shown: str) -> None:
    assert quoted(Path(path)) == shown
