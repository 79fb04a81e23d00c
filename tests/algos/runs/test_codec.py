"""Configurations of runs and of the code meet, whichever is older."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from algos.runs.codec import from_plain, read, to_plain


def still(x: float) -> float:
    """Stands for a reward's function."""
    return x


@dataclass(frozen=True)
class Reward:
    """A term: a function, which JSON does not hold, and its numbers."""

    function: Callable[[float], float] = still
    weight: float = 1.0
    params: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Drive:
    """A part that may be of another type than declared."""

    scale: float = 1.0


@dataclass(frozen=True)
class Delayed(Drive):
    """Such a type, which can even be called."""

    substeps: int = 2

    def __call__(self) -> None:
        """Act."""


@dataclass(frozen=True)
class Task:
    """Every kind of setting."""

    rewards: dict[str, Reward]
    drive: Drive = Drive()
    hidden: tuple[int, ...] = (8, 8)
    speed: tuple[float, float] | None = (0.0, 1.0)
    mode: Literal["fast", "slow"] = "fast"
    folder: Path | None = None
    on: bool = False

    def __post_init__(self) -> None:
        if len(self.hidden) > 3:
            raise ValueError(f"hidden is {self.hidden}; it must be short")


TASK = Task({"walk": Reward(weight=2.0), "slip": Reward(params={"width": 0.5})}, Delayed())


def written(task: Task = TASK) -> dict[str, Any]:
    return json.loads(json.dumps(to_plain(task)))


def test_what_json_holds_is_the_settings_and_names_of_functions() -> None:
    plain = written(replace(TASK, folder=Path("a/b"), speed=None))
    slip = {"function": "still", "weight": 1.0, "params": {"width": 0.5}}
    assert plain["rewards"]["slip"] == slip
    assert plain["drive"] == {"scale": 1.0, "substeps": 2}
    assert (plain["hidden"], plain["speed"], plain["folder"]) == ([8, 8], None, "a/b")


def test_settings_survive_json_and_differ_in_nothing() -> None:
    changed = replace(
        TASK,
        rewards=TASK.rewards | {"slip": Reward(weight=-3, params={"width": 2})},
        drive=Delayed(0.5, 7),
        hidden=(1, 2, 3),
        speed=None,
        mode="slow",
        folder=Path("x"),
        on=True,
    )
    found = read(TASK, written(changed))
    assert found.value == changed
    assert (found.unknown, found.missing) == ({}, {})
    assert isinstance(found.value.drive, Delayed)
    assert found.value.rewards["slip"].function is still
    assert to_plain(found.value) == written(changed)


def test_a_renamed_reward_is_one_too_many_and_one_too_few() -> None:
    plain = written()
    plain["rewards"]["stride"] = plain["rewards"].pop("walk") | {"weight": 9.0}
    found = read(TASK, plain)
    assert found.value == TASK
    assert found.unknown == {"rewards.stride": {"function": "still", "weight": 9.0, "params": {}}}
    assert found.missing == {"rewards.walk": {"function": "still", "weight": 2.0, "params": {}}}


def test_a_renamed_parameter_is_one_too_many_and_one_too_few() -> None:
    plain = written()
    plain["rewards"]["slip"]["params"] = {"breadth": 0.7}
    found = read(TASK, plain)
    assert found.value == TASK
    assert found.unknown == {"rewards.slip.params.breadth": 0.7}
    assert found.missing == {"rewards.slip.params.width": 0.5}


def test_another_function_than_todays_is_told() -> None:
    plain = written()
    plain["rewards"]["walk"]["function"] = "strolling"
    found = read(TASK, plain)
    assert found.value == TASK
    assert found.changed == {"rewards.walk.function": ("strolling", "still")}
    (line,) = found.differences("run")
    assert line == "run has rewards.walk.function strolling, this code has still: taking still"
    plain["rewards"]["walk"]["function"] = 3
    with pytest.raises(ValueError, match=r"rewards\.walk\.function is 3; .*name of a function"):
        read(TASK, plain)


def test_a_removed_reward_is_left_aside() -> None:
    now = replace(TASK, rewards={"walk": Reward()})
    found = read(now, written())
    assert list(found.value.rewards) == ["walk"]
    assert found.value.rewards["walk"].weight == 2.0
    assert list(found.unknown) == ["rewards.slip"]
    assert found.missing == {}


def test_missing_and_unknown_settings_are_told_with_their_values() -> None:
    plain = written()
    del plain["on"], plain["rewards"]["walk"]["weight"]
    plain["drive"]["gain"] = 3
    found = read(TASK, plain)
    assert found.value == TASK
    assert found.missing == {"on": False, "rewards.walk.weight": 2.0}
    assert found.unknown == {"drive.gain": 3}
    assert found.differences("c.json") == [
        "c.json lacks on: taking False",
        "c.json lacks rewards.walk.weight: taking 2.0",
        "c.json has drive.gain 3, which this code does not know: leaving it out",
    ]


def test_the_default_decides_the_type_of_a_part() -> None:
    found = read(replace(TASK, drive=Drive()), written(replace(TASK, drive=Delayed(3.0, 9))))
    assert found.value.drive == Drive(3.0)
    assert found.unknown == {"drive.substeps": 9}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("on", 1),
        ("on", "true"),
        ("mode", "quick"),
        ("hidden", [1, 2.5]),
        ("hidden", [1, True]),
        ("hidden", 3),
        ("speed", [1.0]),
        ("speed", [1.0, 2.0, 3.0]),
        ("drive.scale", "1"),
        ("drive.scale", None),
        ("drive.scale", {"x": 1}),
        ("drive.substeps", 2.0),
        ("drive", None),
        ("drive", 5),
        ("rewards", []),
        ("rewards.slip.params.width", "wide"),
        ("folder", {"x": 1}),
        ("on", object()),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_dotted_name(name: str, value: Any) -> None:
    plain = written()
    part = plain
    *way, last = name.split(".")
    for step in way:
        part = part[step]
    part[last] = value
    with pytest.raises(ValueError, match=rf"^{name} .*must") as caught:
        from_plain(TASK, plain)
    assert "\n" not in str(caught.value)


def test_a_whole_number_may_stand_for_a_number_and_stays_one() -> None:
    found = from_plain(TASK, {"drive": {"scale": 3}, "speed": [0, 1]})
    assert repr(found.drive.scale) == "3"
    assert found.speed == (0, 1)


def test_what_the_dataclass_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="it must be short"):
        from_plain(TASK, {"hidden": [1, 2, 3, 4]})
    with pytest.raises(ValueError, match="settings by their names"):
        from_plain(TASK, [1])


def test_what_is_no_utf8_is_read_as_it_was_written() -> None:
    """A file's name may be any bytes, and a label may be made of it."""
    odd = "caf\udce9"
    task = Task({"slip": Reward(params={odd: 1.0})}, folder=Path(odd))
    plain = json.loads(json.dumps(to_plain(task)))
    assert from_plain(Task({"slip": Reward(params={odd: 0.0})}), plain) == task
    assert from_plain(Labels(), {"tags": [odd], "label": odd}) == Labels((odd,), odd)


@dataclass(frozen=True)
class Labels:
    """Text that a user gives."""

    tags: tuple[str, ...] = ()
    label: str | None = None
