"""The web page's server: where it listens, and whom it answers."""

from __future__ import annotations

import contextlib
import gzip
import http
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import rich
import viser
from websockets.asyncio import server
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

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
    """viser's server, which tells the console nothing and never asks for a public tunnel.

    Args:
        host, port: where it listens.
        document: makes the HTML that a browser is given.
    """

    def __init__(self, host: str, port: int, document: Callable[[], str]) -> None:
        rich.get_console().quiet = True
        for name in ("websockets", "asyncio"):  # tracebacks of whatever a client sends
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with _own_page_alone(document):
            super().__init__(host, port, label="Trot", verbose=False)

    def request_share_url(self, verbose: bool = True) -> str | None:
        return None


@contextlib.contextmanager
def _own_page_alone(document: Callable[[], str]) -> Iterator[None]:
    """Have a server that viser starts give its own document, and refuse other sites' pages.

    Any page can open a WebSocket to this computer; the browser then names the page's site in
    Origin, of which viser takes no notice.
    """
    start = server.serve

    def serve(*args: Any, process_request: Callable[..., Any], **kwargs: Any) -> Any:
        def check(connection: server.ServerConnection, request: Request) -> Any:
            origin = request.headers.get("Origin")
            if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
                return connection.respond(http.HTTPStatus.FORBIDDEN, "not this server's page\n")
            if "Upgrade" not in request.headers and urlsplit(request.path).path == "/":
                return _page(document(), request)
            return process_request(connection, request)

        return start(*args, process_request=check, **kwargs)

    server.serve = serve
    try:
        yield
    finally:
        server.serve = start


def _page(document: str, request: Request) -> Response:
    body, packed = document.encode(), "gzip" in request.headers.get("Accept-Encoding", "")
    headers = Headers({"Content-Type": "text/html; charset=utf-8"})
    if packed:
        body = gzip.compress(body, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    return Response(http.HTTPStatus.OK, "OK", headers, body)
