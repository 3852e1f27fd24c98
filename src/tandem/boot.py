"""From nothing to a running server: one process with the pages and the sync threads.

`prepare` brings the database up to date; `serve` listens until it is told to stop.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import django
import structlog
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.urls import get_resolver
from waitress.server import create_server

from tandem import logs

WEB_THREADS = 8
SYNC_THREADS = 8
LARGEST_BODY = 5 * 1024 * 1024
"""Bytes of a request, far more than any form here has. It is read whole before anyone asks who sends it."""


class CannotServe(Exception):
    """Why the server does not run, as a sentence."""


def prepare() -> None:
    """Django, logs, migrations, and whether this database belongs to this data folder.

    Raises `CannotServe` when the database cannot be opened.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tandem.settings")
    django.setup()
    logs.configure(settings.DATA / "log")
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as problem:
        first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise CannotServe(
            f"The database cannot be opened: {first}. Look at DATABASE_URL, or start without it."
        ) from problem
    from tandem.team import installation  # models exist only after setup

    installation.check(settings.DATA)


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Keep a second server off this data folder. Raises `CannotServe` where one runs already.

    The lock goes with the process, whatever ends it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / "running.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise CannotServe(
                f"A Tandem is running already with the data in {data}. "
                "Stop it first, or choose another folder: ./start --data DIR"
            ) from taken
        yield


def serve(host: str, port: int, *, ready: Callable[[str], None]) -> None:
    """Serve pages on `host`:`port` and sync, until SIGTERM or Ctrl C; `ready` hears the address first.

    Raises `CannotServe` when the port is taken. Call `prepare` before.
    """
    from tandem.jobs.pool import Pool
    from tandem.web.wsgi import application

    log = structlog.get_logger()
    # Every page's module is loaded before the first reader comes.
    get_resolver().url_patterns  # noqa: B018
    try:
        server = create_server(
            application,
            host=host,
            port=port,
            threads=WEB_THREADS,
            ident="",
            clear_untrusted_proxy_headers=True,
            max_request_body_size=LARGEST_BODY,
        )
    except OSError as problem:
        raise CannotServe(
            f"Port {port} cannot be used ({problem.strerror}). Choose another: ./start --port {port + 1}"
        ) from problem
    pool = Pool(threads=SYNC_THREADS)
    with stopped_by_signals():
        pool.start()
        try:
            log.info("server.started", port=port)
            ready(settings.PUBLIC_URL)
            server.run()
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            server.close()
            pool.stop()
            log.info("server.stopped")


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the main thread as Ctrl C does, so that everything is closed in order."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
