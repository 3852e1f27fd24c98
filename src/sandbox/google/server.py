"""The sandbox behind a port of this machine: HTTP/1.1 with kept connections, a thread for each."""

from __future__ import annotations

import socket
import sys
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

from sandbox.google.http import Request
from sandbox.google.problems import AnswerLost

if TYPE_CHECKING:
    from sandbox.google.sandbox import GoogleSandbox


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    sandbox: ClassVar[GoogleSandbox]

    def _answer(self) -> None:
        from sandbox.google.sandbox import head

        path, _, query = self.path.partition("?")
        message: Message = self.headers
        headers = {name.lower(): value for name, value in message.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        try:
            response = self.sandbox.handle(Request(self.command, unquote(path), query, headers, body))
        except AnswerLost:
            # The client sees the connection end, and cannot know whether it was carried out.
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(response.status)
        for name, value in head(response):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        """The request log says it all."""


for _verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_verb}", _Handler._answer)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Server:
    """Listens while the context is open. `port` 0 takes a free one."""

    def __init__(self, sandbox: GoogleSandbox, port: int) -> None:
        self._sandbox = sandbox
        self._port = port
        self._server: _HttpServer | None = None

    def __enter__(self) -> str:
        handler = type("Handler", (_Handler,), {"sandbox": self._sandbox})
        self._server = _HttpServer(("127.0.0.1", self._port), handler)
        self._sandbox.store.site = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="google-sandbox", daemon=True).start()
        return self._sandbox.store.site

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
