"""What MkDocs does not do by itself: the README as home, tables of tasks, equations as MathML."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

from envs import tasks
from envs.show.tables import tables

README = Path(__file__).parent.parent / "README.md"
TABLES = re.compile("<!-- tables -->")
EQUATION = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what other files of the repository say."""
    if page.file.src_uri == "index.md":
        return README.read_text().replace("](docs/", "](")
    return TABLES.sub(lambda _: "\n\n".join(map(_tables, tasks.TASKS)), markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Turn the equations that arithmatex found into MathML, which browsers draw by themselves."""
    return EQUATION.sub(_mathml, content)


def _tables(task: str) -> str:
    return f"### {task.replace('_', ' ').capitalize()}\n\n{tables(task)}"


def _mathml(match: re.Match[str]) -> str:
    display = "block" if match[1] == "div" else "inline"
    return convert(html.unescape(match[2]), display=display)
