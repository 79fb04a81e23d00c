"""The homework's links lead to the definitions that it names, in both languages."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
LINK = re.compile(r"\[`(\w+)`\]\((\S+?)#L(\d+)\)")


@pytest.mark.parametrize("name", ["homework.md", "homework.zh.md"])
def test_links_lead_to_the_definitions(name: str) -> None:
    links = LINK.findall((DOCS / name).read_text())
    assert len(links) > 10
    for symbol, path, line in links:
        lines = (DOCS / path).read_text().splitlines()
        pattern = re.compile(rf"\s*(def {symbol}\(|class {symbol}\b|{symbol}: )")
        at = [i for i, text in enumerate(lines, 1) if pattern.match(text)]
        assert int(line) in at, f"{name}: {symbol} stands in {path} at {at}, not at {line}"


@pytest.mark.parametrize("name", ["homework.md", "homework.zh.md"])
def test_files_that_it_shows_exist(name: str) -> None:
    for path in re.findall(r"\]\((?!https?:)([^)#]+)", (DOCS / name).read_text()):
        assert (DOCS / path).exists(), path


def test_both_languages_give_the_same_commands_and_links() -> None:
    english, chinese = ((DOCS / name).read_text() for name in ("homework.md", "homework.zh.md"))
    assert sorted(LINK.findall(english)) == sorted(LINK.findall(chinese))
    commands = [re.findall(r"```sh\n(.*?)```", text, re.S) for text in (english, chinese)]
    assert commands[0] == commands[1]
