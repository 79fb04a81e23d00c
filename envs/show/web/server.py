"""The web page's server: where it listens, and whom it answers."""

from __future__ import annotations

import contextlib
import http
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import rich
import viser
from websockets.asyncio import server
from websockets.http11 import Request

from robots.usage import UsageError


def check_address(host: str, port: int) -> None:
    """Raise ValueError unless a server can listen there; port 0 takes any that is free."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"no page can be served at {host}:{port} ({error}): choose another --port or --host"
        ) from error


class Server(viser.ViserServer):
    """viser's server, which tells the console nothing and never asks for a public tunnel."""

    def __init__(self, host: str, port: int) -> None:
        rich.get_console().quiet = True
        for name in ("websockets", "asyncio"):  # tracebacks of whatever a client sends
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with _own_page_alone():
            super().__init__(host, port, label="Trot", verbose=False)

    def request_share_url(self, verbose: bool = True) -> str | None:
        return None


@contextlib.contextmanager
def _own_page_alone() -> Iterator[None]:
    """Have a server that viser starts refuse browsers that show the page of another site.

    Any page can open a WebSocket to this computer; the browser then names the page's site in
    Origin, of which viser takes no notice.
    """
    start = server.serve

    def serve(*args: Any, process_request: Callable[..., Any], **kwargs: Any) -> Any:
        def check(connection: server.ServerConnection, request: Request) -> Any:
            origin = request.headers.get("Origin")
            if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
                return connection.respond(http.HTTPStatus.FORBIDDEN, "not this server's page\n")
            return process_request(connection, request)

        return start(*args, process_request=check, **kwargs)

    server.serve = serve
    try:
        yield
    finally:
        server.serve = start
