"""Command lines: what is taken, and the one line that says what is wrong and what may be meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import tyro

from algos.training.parsing import SomeWholeNumbers, glance, parse, whole_number
from algos.usage import UsageError


@dataclass(frozen=True)
class Term:
    """What is paid."""

    weight: float = 1.0
    samples: int = 3
    unit: Annotated[str, tyro.conf.Fixed] = "N"

    def __post_init__(self) -> None:
        if not abs(self.weight) < 9:
            raise ValueError(f"reward weight is {self.weight}; it must be\n in [-9, 9]")
        if not self.samples:
            raise ValueError("Term.samples must be at least 1")
        if self.samples > 5000:
            raise ValueError("so many samples make no sense")


@dataclass(frozen=True)
class World:
    friction: tuple[float, float] | None = None
    rewards: dict[str, Term] = field(default_factory=lambda: {"slip": Term(), "pose": Term()})


@dataclass(frozen=True)
class Options:
    name: tyro.conf.Positional[str] = "walk"
    total_steps: int = 8
    seeds: SomeWholeNumbers = ()
    limit: int | None = None
    device: str = "cpu"
    folder: Path | None = None
    source: Path = Path("runs")
    world: World | None = None

    def __post_init__(self) -> None:
        if self.total_steps < 1:
            raise ValueError("--total-steps must be\n  at least 1")


def options(*arguments: str, world: World | None = World()) -> Options:
    return parse(Options, list(arguments), Options(world=world), owner="a run")


@dataclass(frozen=True)
class Sweep:
    note: str = ""
    clip: bool = True
    widths: tuple[int, ...] = (8,)
    world: World = World()


def test_flags_and_lists_are_taken_as_a_sweep_writes_them() -> None:
    def given(*words: str) -> Sweep:
        return parse(Sweep, list(words), Sweep(), owner="a trial")

    for word, clip in (("--clip=False", False), ("--clip=true", True), ("--no-clip", False)):
        assert given(word).clip is clip
    assert given("--widths=[64, 32]", "--world.friction=[-0.5, 2]") == Sweep(
        widths=(64, 32), world=World((-0.5, 2.0))
    )
    assert given("--note=True").note == "True"
    assert given("--note=[1, 2]").note == "[1, 2]"
    with pytest.raises(UsageError, match="--widths"):
        given("--widths=[64, 'x']")


@pytest.mark.parametrize("text", ["1000000", "1e6", "1_000_000", "1.0e6", "+1E+6", "1000000.0"])
def test_a_whole_number_may_be_written_in_any_way(text: str) -> None:
    assert whole_number(text) == 1_000_000
    assert options("--total-steps", text).total_steps == 1_000_000


@pytest.mark.parametrize("text", ["1e6.5", "1.5", "1e-1", "inf", "nan", "1e999999999", "many", ""])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--total-steps must be INT: .* is no whole number"):
        options("--total-steps", text)


def test_every_whole_number_may_be_written_so() -> None:
    read = options("--seeds", "1", "2e0", "--limit", "1.5e6", "--world.rewards.slip.samples", "1e3")
    assert (read.seeds, read.limit) == ((1, 2), 1_500_000)
    assert read.world is not None
    assert read.world.rewards["slip"].samples == 1000


def test_a_path_is_what_is_written() -> None:
    read = options("--folder", ".", "--source=-run")
    assert (read.folder, read.source, read.seeds) == (Path("."), Path("-run"), ())


def test_what_is_fixed_stays_and_is_no_option() -> None:
    world = World(rewards={"slip": Term(unit="W")})
    given = ["--world.rewards.slip.weight", "2"]
    for read in (options(*given, world=world), glance(Options(world=world), given)[0]):
        assert read.world is not None
        assert vars(read.world.rewards["slip"]) == {"weight": 2, "samples": 3, "unit": "W"}
    with pytest.raises(UsageError, match=r"no option --world\.rewards\.slip\.unit"):
        options("--world.rewards.slip.unit", "N")


def test_help_tells_what_settings_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options("--help")
    assert "What is paid." in capsys.readouterr().out


def test_a_first_look_takes_them_too_and_refuses_no_value() -> None:
    seen, more = glance(Options(), ["--total-steps", "-1e3", "x", "--unknown", "3"])
    assert (seen.total_steps, seen.name, more) == (-1000, "x", ["--unknown", "3"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--total-stps", "3"], "a run has no option --total-stps; did you mean --total-steps?"),
        (
            ["--world.rewards.slip.weight", "nan"],
            "--world.rewards.slip.weight is nan; it must be in",
        ),
        (["--world.rewards.pose.samples", "0"], "--world.rewards.pose.samples must be at least 1"),
        (["--world.rewards.pose.samples", "8e3"], "--world.rewards.pose: so many samples make no"),
        (["--total_stps=3"], "did you mean --total-steps?"),
        (["--world.friction", "1"], "expected argument count 2 of FLOAT FLOAT"),
        (["--wrld.friction", "1", "2"], "did you mean --world.friction?"),
        (["--world.rewards.slp.weight", "1"], "did you mean --world.rewards.slip.weight?"),
        (["--world.rewards.slip.wait", "1"], "did you mean --world.rewards.slip.weight?"),
        (["--world.rewards.torque.weight", "1"], "; --world.rewards has slip, pose"),
        (["--world.rewards.slip", "1"], "; --world.rewards.slip has weight, samples"),
        (["--friction", "1", "2"], "did you mean --world.friction?"),
        (["--slip.weight", "1"], "did you mean --world.rewards.slip.weight?"),
        (["--xyz"], "a run has no option --xyz; it has --total-steps, --seeds, --limit, --device"),
        (["x", "y"], "'y' is one argument too many"),
        (["--total-steps"], "--total-steps lacks a value: give INT"),
        (["--world.friction", "1"], "--world.friction must be FLOAT FLOAT"),
        (["--total-steps", "0"], "--total-steps must be at least 1"),
        (["--limit", "few"], "--limit must be INT: 'few' is no whole number"),
        (["--seeds"], "--seeds must be INT [INT ...]: give at least one"),
        (["--seeds", "--limit", "3"], "--seeds must be INT [INT ...]: give at least one"),
        (["--seeds", "1,2"], "--seeds must be INT [INT ...]: '1,2' is no whole number"),
        (["--folder", ""], "--folder must be PATH: it is empty"),
        (["--source="], "--source must be PATH: it is empty"),
    ],
)
def test_what_is_wrong_is_one_line_that_says_what_to_do(arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        options(*arguments)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_that_there_are_none_of_are_told_from_misspelt_ones() -> None:
    with pytest.raises(UsageError, match="it has no --world settings at all"):
        options("--world.friction", "1", "2", world=None)
    with pytest.raises(UsageError, match="has no option --wrld; it has --total-steps"):
        options("--wrld", world=None)


@pytest.mark.slow
def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options("--help")
    assert ended.value.code == 0
    assert "--world.rewards.slip.weight FLOAT" in capsys.readouterr().out
