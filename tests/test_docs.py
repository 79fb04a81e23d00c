"""The pages name what exists, and the site that is made of them works without a network."""

import importlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from envs import tasks
from envs.show.tables import observation_table, reward_table

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
SITE = ROOT / "site"
HOMEWORK = [DOCS / "homework.md", DOCS / "homework.zh.md"]
SYMBOL = re.compile(r"\[`([\w.]+)`\]\[((?:robots|envs|algos)[\w.]*)\]")
EQUATION = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
TARGET = re.compile(r"(?<=\])(\([^)]*\)|\[[^\]]*\])")
"""Where a link leads, in either of Markdown's forms."""


def name(page: Path) -> str:
    return page.name


def resolve(path: str) -> object:
    """Return what a dotted path names: a module, or a class, a function, a field within one."""
    module, _, rest = path.rpartition(".")
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        parent = resolve(module)
    if rest in getattr(parent, "__annotations__", {}):
        return parent.__annotations__[rest]
    return getattr(parent, rest)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_symbols_that_a_page_names_exist(page: Path) -> None:
    for shown, path in SYMBOL.findall(page.read_text()):
        assert resolve(path) is not None
        assert path.endswith(shown), f"{page.name}: {shown} leads to {path}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_a_page_shows_exist(page: Path) -> None:
    for path in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_programs_that_a_page_runs_exist(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(r"python ((?:[\w/]+)\.py)", text):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"python -m ((?:envs|algos|benchmarks)[\w.]+)", text):
        assert (ROOT / path.replace(".", "/")).with_suffix(".py").exists(), path


def test_both_languages_give_the_same_commands_equations_and_links() -> None:
    english, chinese = (page.read_text() for page in HOMEWORK)
    assert len(SYMBOL.findall(english)) > 10
    for pattern in (SYMBOL, re.compile(r"```sh\n(.*?)```", re.DOTALL), EQUATION):
        assert pattern.findall(english) == pattern.findall(chinese)


def test_chinese_has_its_own_punctuation() -> None:
    prose = HOMEWORK[1].read_text()
    for other in (CODE, EQUATION, TARGET):
        prose = other.sub("", prose)
    assert re.findall(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]", prose) == []


@pytest.fixture
def site() -> Path:
    """The pages that make docs has built."""
    if not SITE.is_dir():
        pytest.skip("no site/: make test-site builds and checks it")
    return SITE


class Elements(HTMLParser):
    """The elements of a page, and what it loads from elsewhere when it is opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        address = dict(attrs).get("href" if tag == "link" else "src") if tag != "a" else None
        if address and re.match(r"(https?:)?//", address):
            self.loaded.append(address)


@pytest.mark.site
@pytest.mark.parametrize("page", HOMEWORK, ids=name)
def test_equations_are_mathml(site: Path, page: Path) -> None:
    html = (site / page.with_suffix(".html").name).read_text()
    equations = EQUATION.findall(CODE.sub("", page.read_text()))
    assert len(equations) > 10
    assert Elements(html).tags.count("math") == len(equations)
    assert html.count('display="block"') == sum(one.startswith("$$") for one in equations)
    assert "arithmatex" not in html


@pytest.mark.slow
@pytest.mark.site
def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    assert {str(page): Elements(page.read_text()).loaded for page in pages} == {
        str(page): [] for page in pages
    }
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text()), style


@pytest.mark.site
def test_home_is_the_readme(site: Path) -> None:
    home = (site / "index.html").read_text()
    for heading in re.findall(r"^## (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert heading in home


@pytest.mark.slow
@pytest.mark.site
def test_every_task_has_its_tables(site: Path) -> None:
    html = (site / "tasks.html").read_text()
    for task in tasks.TASKS:
        rows = [*observation_table(task).splitlines(), *reward_table(task).splitlines()]
        assert f'id="{task.replace("_", "-")}"' in html
        for term in (re.search(r"`(\w+)`", row) for row in rows):
            assert term is None or f"<code>{term[1]}</code>" in html
