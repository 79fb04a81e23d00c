"""play.py --report: one page that is whole, right and harmless."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import play
from envs.judge import trials
from envs.judge.protocol import HWANGBO_2019, UNITS
from envs.render.gl import OpenGLError
from envs.show import film, report
from envs.task import Termination
from robots import get_robot

POLICY = Path(__file__).parent.parent / "policies" / "walk.pt"
EVIL = "<script>alert('&')<b>"
SECTIONS = ["summary", "evaluation", "tracking", "gait", "base", "joints", "pushes", "provenance"]
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
    monkeypatch.setattr(play, "REPORT_FILM", replace(play.REPORT_FILM, seconds=0.2))


@pytest.mark.usefixtures("quick")
@pytest.mark.slow
def test_a_run_s_page_is_whole_and_right_and_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's name, configuration and diff are hostile; the machine cannot render."""

    def no_opengl() -> str:
        raise OpenGLError("nothing to draw <with>")

    monkeypatch.setattr(film, "choose_backend", no_opengl)
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
    for name, unit in UNITS.items():
        label = name.replace("_", " ").capitalize() + (f" ({unit})" if unit else "")
        value = results[name]
        shown = [f"{value['mean']:.3f}", f"{value['low']:.3f} to {value['high']:.3f}"]
        assert table[label] == [*shown, str(HWANGBO_2019.get(name, ""))]
    assert len([name for name in table if name.endswith(("_HAA", "_HFE", "_KFE"))]) == 12

    assert page.text.count(EVIL) == 4  # title, heading, configuration, diff
    shown = ("8,003,584", "trot/AnymalWalk-v0", "abc123 with uncommitted", "nothing to draw <with>")
    for text in shown:
        assert text in page.text
    assert not page.named("video")


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "opengl")
def test_a_standing_page_has_a_video_and_neither_commands_nor_paper(tmp_path: Path) -> None:
    out = tmp_path / "stand.html"
    arguments = ["--agent", "zero", "--episodes", "2", "--seconds", "0.4", "--report", str(out)]
    play.main(["trot/AnymalStand-v0", *arguments])
    page = Page(out.read_text(encoding="utf-8"))
    assert [s["id"] for s in page.named("section")] == ["summary", "evaluation", *SECTIONS[3:-1]]
    (video,) = page.named("video")
    assert str(video["src"]).startswith("data:video/mp4;base64,AAAA")
    assert ["", "mean", "95 % interval"] in page.rows
    assert "Hwangbo" not in page.text
    assert "told to stand" in page.text
    assert "Gait: none" in page.text


@pytest.mark.usefixtures("quick")
def test_a_robot_that_falls_at_once_has_a_page() -> None:
    options = play.Play("trot/AnymalWalk-v0", agent="random", evaluate=True, seconds=0.4)
    subject = play.find_subject(options)
    assert subject.task is not None
    task = replace(subject.task, termination=Termination(min_height=0.7))
    found = trials.run(lambda n: play.make_agent(options, subject, n), task, episodes=2)
    robot = get_robot("anymal_c")
    page = Page(report.page(report.About("fallen", {}, {}), found, robot, True, "none"))
    assert [s["id"] for s in page.named("section")] == SECTIONS[:-1]
    assert page.text.count("the robot fell after 0.02 s") == 3
    assert "A bin holds 0 to 0 commands" in page.text


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
