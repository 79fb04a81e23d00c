"""How the programs show what they do and how they end, in processes that import nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.table import Table

from algos import terminal

ROOT = Path(__file__).parent.parent
SHOWS = r"""
import sys
from algos import terminal
terminal.begin()
from rich.console import Console
from rich.table import Table
file = open(sys.argv[1], "w")
assert file.fileno() > 2
for i in range(3_000):
    print("return 12.3 \xb1 0.4, \u03b4 \u2265 0.01, runs/\xe9\udcff")
print("WARNING no display: \xb1 \udcff", file=sys.stderr)
table = Table("mean \xb1 std")
table.add_row("1 \u2026 2")
Console().print(table)
file.write("done")
"""
"""A program whose work is a file, which it writes after it has shown a lot."""


def run(
    code: str, *arguments: str, shell: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code from the root, its streams as a shell redirects them."""
    script = f'set -o pipefail; exec "$0" -c "$@" {shell}' if "|" not in shell else shell
    return subprocess.run(
        ["bash", "-c", script, sys.executable, code, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )


@pytest.mark.parametrize(("columns", "taken"), [("2", "80"), ("40", "40")])
def test_a_terminal_too_narrow_for_a_layout_counts_as_unknown(columns: str, taken: str) -> None:
    code = "from algos import terminal; terminal.begin(); import os; print(os.environ['COLUMNS'])"
    assert run(code, COLUMNS=columns).stdout.strip() == taken


@pytest.mark.slow
@pytest.mark.parametrize(
    "shell",
    [
        "> /dev/full",
        "2> /dev/full",
        "> /dev/full 2>&1",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        '"$0" -c "$@" | head -n 1; exit ${PIPESTATUS[0]}',
        '"$0" -c "$@" 2>&1 | head -n 1; exit ${PIPESTATUS[0]}',
    ],
)
def test_what_cannot_be_shown_ends_no_work(shell: str, tmp_path: Path) -> None:
    done = run(SHOWS, str(tmp_path / "work"), shell=shell)
    assert (tmp_path / "work").read_text() == "done"
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr
    assert done.stderr.count("what is printed is lost") == (shell == "> /dev/full")


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "utf-8:strict"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_nor_does_an_encoding(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(SHOWS, str(tmp_path / "work"), **environment)
    assert (tmp_path / "work").read_text() == "done"
    assert done.returncode == 0
    assert done.stdout.startswith("return 12.3 ")
    assert done.stderr.startswith("WARNING no display: ")


ENDS = """
import os, signal, sys
from algos import terminal
class Mendable(ValueError): pass
terminal.begin()
terminal.PATIENCE = 0.1
with terminal.program(Mendable):
    try:
        {}
    finally:
        print("cleaned")
"""


@pytest.mark.parametrize(
    ("ends", "code", "said"),
    [
        ("pass", 0, ""),
        ("raise Mendable('--seed is -1')", 2, "error: --seed is -1\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("os.kill(os.getpid(), signal.SIGINT)", 130, ""),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143, ""),
        ("os.kill(os.getpid(), signal.SIGHUP)", 129, ""),
    ],
)
def test_a_program_ends_with_a_line_at_most(ends: str, code: int, said: str) -> None:
    done = run(ENDS.format(ends))
    assert (done.returncode, done.stderr, done.stdout) == (code, said, "cleaned\n")


def test_a_fault_keeps_its_traceback() -> None:
    done = run(ENDS.format("[][1]"))
    assert done.returncode == 1
    assert 'File "<string>", line 9' in done.stderr
    assert done.stderr.endswith("IndexError: list index out of range\n")


@pytest.mark.parametrize(
    ("harm", "ends"),
    [
        ("sys.stdout.close(); sys.stderr.close()", "raise Mendable"),
        ("sys.stdout.detach(); sys.stderr.buffer.close()", "[][1]"),
        ("sys.stdout = sys.stderr = gone = open(os.devnull, 'w'); gone.close()", "[][1]"),
        ("sys.stdout = sys.stderr = None", "raise Mendable"),
        ("os.close(1); os.close(2)", "[][1]"),
    ],
)
def test_streams_that_other_code_closes_show_all_the_same(harm: str, ends: str) -> None:
    done = run(ENDS.format(f"{harm}; terminal.conclude('saved'); {ends}").replace("print", "str"))
    assert done.stdout == "saved\n"
    assert (done.returncode, done.stderr.splitlines()[-1]) in [
        (2, "error: "),
        (1, "IndexError: list index out of range"),
    ]


LINGERS = "threading.Thread(target=time.sleep, args=({},), name='poll').start(); "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "code"), [("pass", 0), ("raise Mendable", 2), ("[][1]", 1), ("sys.exit(3)", 3)]
)
def test_a_thread_that_never_ends_keeps_no_program(ends: str, code: int) -> None:
    program = ENDS.format(LINGERS.format(600) + ends)
    done = run(program.replace("import os", "import threading, time, os"))
    assert (done.returncode, done.stdout) == (code, "cleaned\n")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("warning")]
    told = "warning: left running: a thread of the environment (poll); the program ends all the"
    assert line.startswith(told)


def test_nor_does_a_process() -> None:
    starts = "Process(target=time.sleep, args=(600,), name='sim').start()"
    program = ENDS.format(f"from multiprocessing import Process; {starts}")
    done = run(program.replace("import os", "import time, os"))
    assert (done.returncode, done.stdout) == (0, "cleaned\n")
    assert "left running: a process of the environment (sim)" in done.stderr


def test_a_thread_that_is_about_to_end_is_waited_for() -> None:
    done = run(ENDS.format(LINGERS.format(0.05)).replace("import os", "import threading, time, os"))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_that_is_gone_is_told_before_anything_is_imported(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    script = 'cd "$1" && rmdir "$1" && exec "$0" "$2" CartPole-v1'
    command = ["bash", "-c", script, sys.executable, str(folder), str(ROOT / "train.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = "error: the current folder does not exist any more: cd elsewhere\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_paths_stay_what_they_were_at_the_start(tmp_path: Path) -> None:
    stays = f"os.chdir({str(tmp_path)!r}); terminal.conclude(str(terminal.absolute('runs')))"
    assert run(ENDS.format(stays)).stdout.startswith(f"{ROOT}/runs\n")


def test_a_signal_that_comes_twice_cuts_no_cleaning_short() -> None:
    twice = "os.kill(os.getpid(), signal.SIGTERM)"
    done = run(ENDS.format(twice).replace('print("cleaned")', f'{twice}; print("cleaned")'))
    assert (done.returncode, done.stdout) == (143, "cleaned\n")


LATE = """
class Late:
    def __del__(self):  # as Python ends
        os.kill(os.getpid(), signal.SIGTERM)
late = Late()
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    ("ends", "after"),
    [
        ("terminal.conclude('saved'); os.kill(os.getpid(), signal.{})", ""),
        ("print('saved')", "os.kill(os.getpid(), signal.{})"),
        ("print('saved')", LATE.replace("SIGTERM", "{}")),
    ],
    ids=["while it closes", "after it", "as Python ends"],
)
def test_a_signal_changes_no_exit_code_of_what_is_done(number: str, ends: str, after: str) -> None:
    program = ENDS.format(ends.format(number)) + after.format(number)
    done = run(program.replace('print("cleaned")', "pass"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "saved\n", "")


def test_what_runs_within_another_program_keeps_its_handlers() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    terminal.conclude("saved")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_program_under_nohup_does_not_hear_its_terminal_close() -> None:
    hangs_up = ENDS.format("os.kill(os.getpid(), signal.SIGHUP)")
    done = run(f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{hangs_up}")
    assert (done.returncode, done.stdout) == (0, "cleaned\n")


@pytest.mark.parametrize("program", ["train.py", "play.py"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_still_importing_ends_at_once(
    program: str, number: signal.Signals
) -> None:
    command = [sys.executable, program, "--help"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        while process.poll() is None and not _catches(process.pid, signal.SIGTERM):
            time.sleep(0.001)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (128 + number, b"")


def _catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal, as /proc tells."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


HELPS = r"""
from algos import terminal
terminal.begin()
import tyro
def main(seed: int = 1):
    '''Train \u2026
    Args:
        seed: \xb1 of the environments.
    '''
with terminal.program():
    tyro.cli(main, args=["--help"])
"""


@pytest.mark.parametrize("shell", ["", '"$0" -c "$@" | head -n 1; exit ${PIPESTATUS[0]}'])
def test_help_works_in_ascii_and_in_a_pipe_that_closes(shell: str) -> None:
    done = run(HELPS, shell=shell, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")
    assert done.stdout.isascii()


def test_tables_show_names_as_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("[bold]x[/bold]", title="my[red]-v0")
    table.add_row("runs/[a-z]:dog:[/]")
    terminal.console().print(table)
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("[bold]x[/bold]", "my[red]-v0", "runs/[a-z]:dog:[/]"))
