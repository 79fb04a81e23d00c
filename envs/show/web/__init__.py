"""A page for the browser: a policy walks live, is steered and pushed, and plots how it does."""

from envs.show.web.page import Page, serve
from envs.show.web.server import check_address

__all__ = ["Page", "check_address", "serve"]
