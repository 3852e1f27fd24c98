"""A proxy in front of a server that counts requests, and can answer in the server's place.

    with CountingProxy(server.url) as proxy:
        ...                                     # requests go to proxy.url
        assert proxy.writes == []

`interfere`, if given, sees each request before the server does. It may return an `Answer` (the server
is not asked), raise `Hang` (the connection is cut without an answer), or return a function that
changes the server's own answer on its way back.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

WRITES = frozenset({"PUT", "DELETE", "POST", "PATCH", "PROPPATCH", "MKCALENDAR", "MOVE", "COPY"})
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Hang(Exception):
    """Cut the connection. `after_server` True: the server has carried the request out by then."""

    def __init__(self, *, after_server: bool = True) -> None:
        super().__init__()
        self.after_server = after_server


Interfere = Callable[[Asked], "Answer | Callable[[Answer], Answer] | None"]


class CountingProxy:
    """Records `(method, path, status)` of each request in `requests`; those that write also in `writes`."""

    def __init__(self, target_url: str, interfere: Interfere | None = None) -> None:
        self.target = urlsplit(target_url)
        self.interfere = interfere
        self.requests: list[tuple[str, str, int]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    @property
    def writes(self) -> list[tuple[str, str, int]]:
        with self._lock:
            return [entry for entry in self.requests if entry[0] in WRITES]

    def clear(self) -> None:
        with self._lock:
            self.requests.clear()

    def record(self, method: str, path: str, status: int) -> None:
        with self._lock:
            self.requests.append((method, path, status))

    def __enter__(self) -> CountingProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def ask_server(self, asked: Asked) -> Answer:
        connection = http.client.HTTPConnection(self.target.hostname or "", self.target.port, timeout=30)
        try:
            # The server builds its answers from the Host that the client used.
            connection.request(asked.method, asked.path, asked.body or None, asked.headers)
            response = connection.getresponse()
            body = response.read()
            return Answer(response.status, {k: v for k, v in response.getheaders() if k.lower() not in _HOP}, body)
        finally:
            connection.close()


def _handler(proxy: CountingProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            asked = Asked(self.command, self.path, headers, self.rfile.read(size))
            try:
                answer = self._answer(asked)
            except Hang as hang:
                if hang.after_server:
                    proxy.ask_server(asked)
                proxy.record(asked.method, asked.path, 0)
                self.close_connection = True
                return
            proxy.record(asked.method, asked.path, answer.status)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD" and answer.status not in (204, 304):
                self.wfile.write(answer.body)

        def _answer(self, asked: Asked) -> Answer:
            done = proxy.interfere(asked) if proxy.interfere else None
            if isinstance(done, Answer):
                return done
            answer = proxy.ask_server(asked)
            return done(answer) if done is not None else answer

        def log_message(self, *_: object) -> None:
            """Silence: pytest shows what matters."""

        do_GET = do_PUT = do_DELETE = do_POST = do_OPTIONS = do_HEAD = _serve  # noqa: N815
        do_PROPFIND = do_REPORT = do_MKCALENDAR = do_PROPPATCH = do_MOVE = do_COPY = _serve  # noqa: N815

    return Handler
