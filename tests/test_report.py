"""play.py --report: one page that is whole, right and harmless."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import play
from envs.judge import speeds, trials
from envs.judge.protocol import summarize
from envs.judge.trials import Pushes, Steady, Trials
from envs.mdp.commands import VELOCITY, Command, Commands, velocity
from envs.mdp.gaits import footfalls
from envs.mdp.measures import MEASURES
from envs.mdp.recording import Recording
from envs.mdp.terminations import Termination, low
from envs.render.gl import OpenGLError
from envs.show import rendering, report
from envs.show.report import figures, sections
from envs.task import as_judged
from envs.tasks import make
from envs.tasks.walk import HWANGBO_2019
from robots import get_robot

POLICY = Path(__file__).parent.parent / "policies" / "walk.pt"
EVIL = "<script>alert('&')<b>"
SECTIONS = ["summary", "evaluation", "paper", "tracking", "gait", "base", "joints", "pushes"]
SECTIONS.append("provenance")
WALK = as_judged(make("walk", get_robot("anymal_c")))
QUICK = {"SETTLE": 0.1, "WATCH": 0.3, "RECOVERY": 0.1, "PUSHED": 1, "PUSHES": (0.5, 1.0)}
VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """What a page holds: tags with their attributes, sections, table cells, text."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    text: str = ""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags, self.rows, self.text, self._open = [], [], "", []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        elif "style" not in self._open:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of a few robots for tenths of a second."""
    for name, value in QUICK.items():
        monkeypatch.setattr(trials, name, value)
    monkeypatch.setattr(play, "REPORT_VIDEO", replace(play.REPORT_VIDEO, seconds=0.2))


@pytest.fixture
def no_joints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other pages show the joints: three axes of each take more time than all else."""
    monkeypatch.setattr(figures, "joints", lambda *_: "<svg></svg>")


@pytest.mark.usefixtures("quick")
@pytest.mark.slow
def test_a_run_s_page_is_whole_and_right_and_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's name, configuration and diff are hostile; the machine cannot render."""

    def no_opengl() -> str:
        raise OpenGLError("nothing to draw <with>")

    monkeypatch.setattr(rendering, "choose_backend", no_opengl)
    run = tmp_path / EVIL.replace("/", "")
    (run / "checkpoints").mkdir(parents=True)
    shutil.copy(POLICY, run / "checkpoints" / "best.pt")
    (run / "config.json").write_text(json.dumps({"seed": 7, "name": f"</pre>{EVIL}"}))
    (run / "git.json").write_text(json.dumps({"commit": "abc123", "diff": f"</details>{EVIL}"}))
    out, judged = tmp_path / "new" / "report.html", tmp_path / "judged.json"
    sizes = ["--episodes", "3", "--seconds", "2.5", "--seed", "5"]
    play.main([str(run), *sizes, "--evaluate", "--json", str(judged), "--report", str(out)])
    source = out.read_text(encoding="utf-8")
    page = Page(source)

    assert not page.named("script")
    for _, attributes in page.tags:
        links = [v for k, v in attributes.items() if k.split(":")[-1] in ("src", "href")]
        assert all(link and link.startswith(("#", "data:")) for link in links)
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in source
    assert [s["id"] for s in page.named("section")] == SECTIONS
    ids = [str(attributes["id"]) for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(page.named("svg")) == 5

    results = json.loads(judged.read_text())
    table = {row[0]: row[1:] for row in page.rows}
    for name, measure in MEASURES.items():
        unit = f" ({measure.unit})" if measure.unit else ""
        label = name.replace("_", " ").capitalize() + unit
        value = results[name]
        shown = ["none", ""]  # no robot of so few was told to walk fast
        if value["mean"] is not None:
            shown = [f"{value['mean']:.3f}", f"{value['low']:.3f} to {value['high']:.3f}"]
        assert table[label] == [*shown, str(HWANGBO_2019.get(name, ""))]
    assert len([name for name in table if name.endswith(("_HAA", "_HFE", "_KFE"))]) == 12

    assert page.text.count(EVIL) == 4  # title, heading, configuration, diff
    shown = ("8,003,584", "trot/AnymalWalk-v0", "abc123 with uncommitted", "nothing to draw <with>")
    for text in shown:
        assert text in page.text
    assert page.text.count("mean of 3 robots") == 2  # so few are said to be
    assert not page.named("video")


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "opengl")
def test_a_standing_page_has_a_video_and_neither_commands_nor_paper(tmp_path: Path) -> None:
    out = tmp_path / "stand.html"
    arguments = ["--agent", "zero", "--episodes", "2", "--seconds", "0.4", "--report", str(out)]
    play.main(["trot/AnymalStand-v0", *arguments])
    page = Page(out.read_text(encoding="utf-8"))
    assert [s["id"] for s in page.named("section")] == ["summary", "evaluation", *SECTIONS[4:-1]]
    (video,) = page.named("video")
    assert str(video["src"]).startswith("data:video/mp4;base64,AAAA")
    assert ["", "mean", "95 % interval"] in page.rows
    assert "Hwangbo" not in page.text
    assert "told to stand" in page.text
    assert "Gait: none" in page.text


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_robot_that_falls_at_once_has_a_page() -> None:
    options = play.Play("trot/AnymalWalk-v0", agent="random", evaluate=True, seconds=0.4)
    subject = play.find_subject(options)
    assert subject.task is not None
    task = replace(subject.task, terminations={"height": Termination(low, params={"share": 1.0})})
    found = trials.run(lambda n: play.policy_of(options, subject, n), task, episodes=2)
    robot = get_robot("anymal_c")
    page = Page(report.page(report.About("fallen", {}, {}), found, robot, task, "none"))
    assert [s["id"] for s in page.named("section")] == [n for n in SECTIONS[:-1] if n != "paper"]
    assert page.text.count("the robot fell after 0.02 s") == 3
    assert "A bin holds 0 to 0 commands" in page.text


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "no_joints")
def test_a_task_without_commands_has_a_page() -> None:
    seen = {name: term for name, term in WALK.observations.items() if name != "command"}
    task = replace(WALK, commands=Commands({}), observations=seen, episode_length=0.4)
    found = trials.run(lambda n: lambda observations: np.zeros((n, 12)), task, episodes=2)
    robot = get_robot("anymal_c")
    page = Page(report.page(report.About("free", {}, {}), found, robot, task, "none"))
    table = {row[0]: row[1:] for row in page.rows}
    assert table["Lin vel error (m/s)"][0] == "none"
    assert "velocity error" not in page.text
    assert "Robots told nothing get" in page.text
    assert [s["id"] for s in page.named("section")] == [
        n for n in SECTIONS[:-1] if n not in ("tracking", "paper")
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "no_joints")
def test_a_page_of_getting_up_counts_from_the_drop() -> None:
    task = as_judged(make("recover", get_robot("anymal_b")))
    task = replace(task, episode_length=0.4)
    found = trials.run(lambda n: lambda o: np.zeros((n, 12)), task, "anymal_b", episodes=4)
    assert found.rising is not None
    found.rising.upright[:] = [0.1, 0.2, 0.3, np.inf]
    found.rising.stance[:] = np.inf
    page = Page(report.page(report.About("up", {}, {}), found, get_robot("anymal_b"), task, "none"))
    sections = [s["id"] for s in page.named("section")]
    assert sections == ["summary", "evaluation", "rising", "paper", "gait", "base", "joints"]
    assert ["falls: share that gets up", "9 of 9", "75.0%"] in page.rows
    assert ["falls: time to be upright, half of all (s)", "under 3", "0.30"] in page.rows
    assert ["falls: the same, 95 % (s)", "under 3", "never"] in page.rows


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "no_joints")
def test_a_page_of_running_has_its_speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROBOTS": 2, "SETTLE": 0.2, "HELD": 1.0}.items():
        monkeypatch.setattr(speeds, name, value)
    task = as_judged(make("run", get_robot("anymal_c")))
    task = replace(task, episode_length=0.4)
    found = trials.run(lambda n: lambda o: np.zeros((n, 12)), task, episodes=2)
    page = Page(
        report.page(report.About("run", {}, {}), found, get_robot("anymal_c"), task, "none")
    )
    assert [s["id"] for s in page.named("section")][2:4] == ["speeds", "paper"]
    assert found.speeds is not None
    held = f"{found.speeds['held']:.2f}"
    row = ["forward speed that 95 of 100 hold for 10 s (m/s)", "1.5, 1.58 simulated", held]
    assert row in page.rows
    assert [r[0] for r in page.rows if r[0] == "3.50"]


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "no_joints")
def test_a_task_that_tells_a_height_and_counts_no_falls_has_a_page() -> None:
    seen = {name: term for name, term in WALK.observations.items() if name != "command"}
    measures = {name: measure for name, measure in MEASURES.items() if name == "torque"}
    commands = Commands({"height": Command((0.3, 0.5), "m"), "mood": Command((2.0, 2.0))})
    task = replace(
        WALK, commands=commands, observations=seen, measures=measures, episode_length=0.4
    )
    found = trials.run(lambda n: lambda observations: np.zeros((n, 12)), task, episodes=2)
    robot = get_robot("anymal_c")
    page = Page(report.page(report.About("low", {}, {}), found, robot, task, "none"))
    assert "Robots told 0.3 m height, 2 mood get" in page.text
    assert "to walk" not in page.text
    assert "robots fell" not in page.text


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ((0.6, 0.0, 0.0, 0.3), "to walk at 0.6 m/s forward, 0.3 m height"),
        ((0.5, 0.0, -0.2, 0.0), "to walk at 0.5 m/s forward, -0.2 rad/s of turning"),
        ((0.0, 0.0, 0.0, 0.3), "to stand, 0.3 m height"),
        ((0.0, 0.0, 0.0, 0.0), "to stand"),
    ],
)
def test_what_a_robot_is_told_is_said_in_the_command_s_units(
    command: tuple[float, ...], told: str
) -> None:
    commands = Commands(velocity((-1.0, 1.0)) | {"height": Command((0.0, 0.5), "m")})
    assert sections.told(command, commands) == told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("legs", "per_leg", "phase", "after"),
    [
        (("left", "right"), 2, (0.0, 0.5), ["0\u00a0%", "50\u00a0%"]),
        (
            ("L1", "R1", "L2", "R2", "L3", "R3"),
            3,
            (0.0, 0.5, 0.5, 0.0, 0.0, 0.5),
            [f"{share}\u00a0%" for share in (0, 50, 50, 0, 0, 50)],
        ),
    ],
)
def test_robots_of_other_than_four_legs_have_a_page(
    legs: tuple[str, ...], per_leg: int, phase: tuple[float, ...], after: list[str]
) -> None:
    """Feet that step at 2.5 Hz, down for 60 % of the time."""
    steps, n = 200, per_leg * len(legs)
    down = (np.arange(steps)[:, None] / 20 - np.array(phase) + 1e-9) % 1.0 < 0.6 - 1e-6
    rest = np.zeros((steps, 1))
    joints, feet = np.zeros((steps, 1, n)), np.zeros((steps, 1, len(legs)))
    planar = np.tile([0.6, 0.0, 0.0], (steps, 1, 1))
    recording = Recording(
        0.02,
        20.0,
        0.5,
        VELOCITY,
        (0.0,) * n,
        rest == 0,
        planar,
        planar,
        joints,
        joints,
        joints,
        joints,
        rest,
        rest + 0.4,
        rest,
        rest,
        down[:, None],
        feet,
        feet,
        feet,
    )
    limits = {
        "position": np.tile([-1.0, 1.0], (n, 1)),
        "speed": np.full(n, 20.0),
        "torque": np.linspace(20.0, 30.0, n),
    }
    steady = Steady((0.6, 0.0, 0.0), recording, None, footfalls.analyse(down, 0.02), limits)
    pushes = Pushes(np.array([0.5]), np.array([0.0]), np.array([[8]]), np.array([[8]]))
    found = Trials(summarize(recording, MEASURES, 0), None, steady, pushes)
    names = tuple(f"{leg}_{part}" for leg in legs for part in range(per_leg))
    robot: Any = SimpleNamespace(legs=legs, joints=names)
    page = Page(report.page(report.About("other", {}, {}), found, robot, WALK, "none"))
    table = {row[0]: row[1:] for row in page.rows}
    assert [table[leg] for leg in legs] == [
        ["0.60", "2.50", share, "100\u00a0%"] for share in after
    ]
    assert set(names) < set(table)
    assert "Gait: alternating" in page.text
    assert "limits (20 rad/s, 20 to 30 N·m" in page.text
    assert "mean of 1 robot; Hwangbo" in page.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["CartPole-v1", "--agent", "zero", "--report", "a.html"], "--report: for trot/ tasks"),
        (["trot/AnymalWalk-v0", "--agent", "zero", "--report", "a.pdf"], "must end in .html"),
        (["trot/AnymalWalk-v0", "--report", "a.html"], "--agent zero or random"),
    ],
)
def test_bad_input_is_named(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        play.main(arguments)
    assert list(tmp_path.iterdir()) == []
