"""The web page's document: viser's own, with a title, a sign that it loads, and a Stop button."""

from __future__ import annotations

import html
from pathlib import Path

import viser
from jinja2 import Environment, FileSystemLoader, StrictUndefined

READY = "trot-ready"
"""Class of the element that ends the loading: the last one that a browser is sent."""
STOP_KEY = "x"
"""Key that the Stop button presses for the user."""
_OVERLAY = Environment(
    loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, autoescape=True
).get_template("overlay.html.jinja")
_CLIENT = Path(viser.__file__).parent / "client" / "build" / "index.html"


def document(title: str, what: str) -> str:
    """Return the page's HTML.

    Args:
        title: of the browser's tab.
        what: is being loaded.
    """
    overlay = _OVERLAY.render(what=what, stop_key=STOP_KEY, ready=READY)
    page = _CLIENT.read_text(encoding="utf-8")
    page = page.replace("<title>Viser</title>", f"<title>{html.escape(title)}</title>")
    return page.replace("</body>", f"{overlay}</body>")
