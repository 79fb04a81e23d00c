"""What a training survives: `python -m benchmarks.faults`.

Real trainings (`train.py trot/AnymalWalk-v0`, small) are killed, stopped, damaged, starved of disk
space or started twice at random moments. Each is then resumed as a user would, and survives if it
ends with the fingerprint of the training that nothing happened to (`algos/fingerprint.py`): the
same networks, generators, simulations, counters and metrics to the last bit. Prints the table and
writes benchmarks/faults.json. Ctrl-C leaves no process behind.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import tyro
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from algos.runs.checkpoint import load_checkpoint, load_newest
from algos.runs.code_state import code_state
from algos.runs.fingerprint import digest
from benchmarks.trainings import (
    SETTINGS,
    Disk,
    Reference,
    Trainings,
    file_limit,
    rows,
    tmpfs,
    wait_until,
)

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Options:
    """How often each fault is tried."""

    kills: int = 24
    """SIGKILLs."""
    stops: int = 8
    """SIGTERMs, and as many SIGINTs."""
    cuts: int = 6
    """Truncated checkpoints, and as many truncated metrics.csv."""
    flips: int = 400
    """Checkpoints with a flipped bit."""
    full: int = 4
    """Full disks of either kind: a limit on the size of files; a full tmpfs, for root alone."""
    pairs: int = 3
    """Second processes on a run that trains."""
    jobs: int = 2
    """Attempts side by side."""
    seed: int = 0
    """Seed of the moments."""
    out: Path = ROOT / "benchmarks" / "faults.json"
    """Where the numbers go."""


class Outcome(NamedTuple):
    """What came of a fault."""

    problem: str
    """What was lost, empty where nothing was."""
    moment: str
    """When it struck."""


Injection = Callable[[random.Random, Path], Outcome]


def struck(
    reference: Reference, chance: random.Random, run: Path, start_up: float = 1 / 6
) -> subprocess.Popen[str]:
    """Start a training and return at a random moment, some before config.json."""
    process = reference.trainings.start(*SETTINGS, "--run-dir", str(run))
    if chance.random() < start_up:
        time.sleep(chance.uniform(0.0, reference.start_up))
        return process
    wait_until(process, lambda: (run / "config.json").exists())
    time.sleep(chance.uniform(0.0, reference.span))
    return process


def _moment(process: subprocess.Popen[str], run: Path) -> str:
    """Say how far a training is."""
    if process.poll() is not None:
        return "at the end"
    return f"iteration {rows(run)}" if (run / "config.json").exists() else "start-up"


def signalled(reference: Reference, number: signal.Signals) -> Injection:
    """Return an injection of a signal."""

    def injection(chance: random.Random, run: Path) -> Outcome:
        process = struck(reference, chance, run)
        moment = _moment(process, run)
        process.send_signal(number)
        reference.trainings.end(process)
        return Outcome(reference.resumed(run), moment)

    return injection


def truncated(reference: Reference) -> Injection:
    """Return an injection of a last.pt that ends early, in a run stopped half-way."""

    def injection(chance: random.Random, run: Path) -> Outcome:
        shutil.copytree(reference.half, run)
        path = run / "checkpoints" / "last.pt"
        size = path.stat().st_size
        os.truncate(path, length := chance.randrange(size))
        return Outcome(reference.resumed(run), f"at {length / size:.0%}")

    return injection


def cut_row(reference: Reference) -> Injection:
    """Return an injection of a metrics.csv that ends within the row after the checkpoint."""

    def injection(chance: random.Random, run: Path) -> Outcome:
        shutil.copytree(reference.half, run)
        path = run / "metrics.csv"
        iteration, rest = path.read_text().splitlines()[-1].split(",", 1)
        row = f"{int(iteration) + 1},{rest}"
        cut = chance.randrange(1, len(row))
        with path.open("a") as file:
            file.write(row[:cut])
        return Outcome(reference.resumed(run), f"at {cut / len(row):.0%}")

    return injection


def flipped(reference: Reference) -> Injection:
    """Return a flip of a bit in last.pt, in a run stopped half-way: loading notices, or may not.

    The checkpoint before then takes its place, from which a training ends the same.
    """
    names = ("last.pt", "previous.pt")
    good = [load_checkpoint(reference.half / "checkpoints" / name) for name in names]
    known = {digest(content) for content in good}
    whole = (reference.half / "checkpoints" / "last.pt").read_bytes()

    def injection(chance: random.Random, run: Path) -> Outcome:
        run.mkdir()
        data, bit = bytearray(whole), chance.randrange(len(whole) * 8)
        data[bit // 8] ^= 1 << bit % 8
        (run / "last.pt").write_bytes(data)
        os.link(reference.half / "checkpoints" / "previous.pt", run / "previous.pt")
        content = load_newest(run / "last.pt", run / "previous.pt")
        noticed = "noticed" if (run / "last.damaged").exists() else "in the padding"
        shutil.rmtree(run)
        return Outcome("" if digest(content) in known else f"bit {bit} changes a value", noticed)

    return injection


def starved(reference: Reference, disk: Callable[[Path], Disk]) -> Injection:
    """Return a disk that is full from a random moment on, until the training ends."""

    def injection(chance: random.Random, run: Path) -> Outcome:
        with disk(run) as (folder, fill, clear):
            process = struck(reference, chance, folder, start_up=0.0)
            moment = _moment(process, folder)
            fill(process)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                moment += ", went on without"
            clear(process)
            _, said = reference.trainings.end(process)
            if "Traceback" in said:
                return Outcome(f"a traceback: {said.strip()[-200:]}", moment)
            return Outcome(reference.resumed(folder), moment)

    return injection


def doubled(reference: Reference) -> Injection:
    """Return an injection of a second process on a run that trains: it is refused, at once."""

    def injection(chance: random.Random, run: Path) -> Outcome:
        first = reference.trainings.start(*SETTINGS, "--run-dir", str(run))
        wait_until(first, lambda: (run / "config.json").exists())
        time.sleep(chance.uniform(0.0, reference.span / 2))
        moment = _moment(first, run)
        first.send_signal(signal.SIGSTOP)  # so that it is there for as long as the second takes
        arguments = ["--resume", str(run)] if chance.random() < 0.5 else [*SETTINGS, "--run-dir"]
        arguments += [] if arguments[0] == "--resume" else [str(run)]
        code, said = reference.trainings.end(reference.trainings.start(*arguments))
        first.send_signal(signal.SIGCONT)
        own, _ = reference.trainings.end(first)
        if code != 2 or "Traceback" in said:
            return Outcome(f"the second process ran, exit code {code}", moment)
        if own:
            return Outcome(f"the first process ended with exit code {own}", moment)
        return Outcome(reference.resumed(run), moment)

    return injection


def cases(options: Options, reference: Reference) -> dict[str, tuple[int, Injection]]:
    """Return what is tried, and how often."""
    kinds = {
        "SIGKILL at a random moment": (options.kills, signalled(reference, signal.SIGKILL)),
        "SIGTERM": (options.stops, signalled(reference, signal.SIGTERM)),
        "SIGINT (Ctrl-C)": (options.stops, signalled(reference, signal.SIGINT)),
        "last.pt truncated": (options.cuts, truncated(reference)),
        "metrics.csv with half a row": (options.cuts, cut_row(reference)),
        "a bit of last.pt flipped": (options.flips, flipped(reference)),
        "disk full (file size limit)": (options.full, starved(reference, file_limit)),
        "disk full (tmpfs)": (options.full, starved(reference, tmpfs)),
        "a second process on the run": (options.pairs, doubled(reference)),
    }
    if os.geteuid() != 0 or not shutil.which("mount"):
        del kinds["disk full (tmpfs)"]
    return {name: case for name, case in kinds.items() if case[0]}


def run(options: Options, trainings: Trainings, folder: Path) -> dict[str, list[Outcome]]:
    """Try everything, `jobs` side by side."""
    reference = Reference(trainings, folder)
    with Progress() as progress, ThreadPoolExecutor(options.jobs) as pool:
        task = progress.add_task("the reference training", total=None)
        try:
            reference.make()
            tried = cases(options, reference)
            progress.update(task, total=sum(count for count, _ in tried.values()))
            futures: dict[Future[Outcome], str] = {}
            for name, (count, injection) in tried.items():
                for i in range(count):
                    chance = random.Random(f"{options.seed} {name} {i}")
                    place = folder / f"{len(futures):04d}"
                    futures[pool.submit(_attempt, injection, chance, place)] = name
            found: dict[str, list[Outcome]] = {name: [] for name in tried}
            for future in as_completed(futures):
                found[futures[future]].append(future.result())
                progress.update(task, advance=1, description=futures[future])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            trainings.close()
            raise
    return found


def _attempt(injection: Injection, chance: random.Random, place: Path) -> Outcome:
    """A injection whose own failure is a loss, and whose folder is removed."""
    try:
        return injection(chance, place)
    except (ValueError, OSError, subprocess.SubprocessError) as error:
        return Outcome(f"{type(error).__name__}: {error}"[:300], "")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main(options: Options) -> None:
    """Try everything, print the table and write the numbers."""
    logging.getLogger("algos").setLevel(logging.ERROR)  # it warns of every flipped bit
    trainings = Trainings()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        try:
            found = run(options, trainings, Path(folder))
        finally:
            trainings.close()
    table = Table("fault", "tried", "survived", "lost")
    results = {}
    for name, outcomes in found.items():
        problems = [outcome.problem for outcome in outcomes if outcome.problem]
        counts = {"tried": len(outcomes), "survived": len(outcomes) - len(problems)}
        table.add_row(name, *map(str, counts.values()), str(len(problems)))
        results[name] = {
            **counts,
            "lost": len(problems),
            "problems": problems,
            "moments": dict(sorted(Counter(outcome.moment for outcome in outcomes).items())),
        }
    Console().print(table)
    given = {name: str(value) for name, value in asdict(options).items() if name != "out"}
    content = {
        "command": shlex.join(["python", "-m", "benchmarks.faults", *sys.argv[1:]]),
        "training": shlex.join(["python", "train.py", *SETTINGS]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "commit": code_state()["commit"],
        "options": given,
        "minutes": round((time.monotonic() - start) / 60, 1),
        "results": results,
    }
    options.out.write_text(json.dumps(content, indent=2) + "\n")
    if any(result["lost"] for result in results.values()):
        sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main(tyro.cli(Options, description=__doc__))
    except KeyboardInterrupt:
        sys.exit(130)
