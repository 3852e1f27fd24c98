"""One line of JSON for each event, in the data folder; warnings and worse on the screen too.

Lines name things by their ids. Titles, addresses, names and messages of people stay out of them.
"""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

_CHATTY = ("httpx2", "httpcore2", "waitress.queue", "django.db.backends", "mail.log")


def configure(folder: Path) -> None:
    """Send structlog's and the standard library's lines to `folder`/tandem.log, 5 files of 5 MB at most.

    Raises `OSError` when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    file = RotatingFileHandler(folder / "tandem.log", maxBytes=5_000_000, backupCount=4, encoding="utf-8", delay=True)
    file.setFormatter(_formatter(shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()))
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    screen.setFormatter(_formatter(shared, _only_its_kind, structlog.dev.ConsoleRenderer(colors=False)))
    root = logging.getLogger()
    root.handlers = [file, screen]
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A page that was not found, or not allowed, is the reader's affair and not a warning.
    logging.getLogger("django.request").setLevel(logging.ERROR)


def _formatter(
    foreign: list[structlog.typing.Processor], *processors: structlog.typing.Processor
) -> structlog.stdlib.ProcessorFormatter:
    """`foreign` is for lines that did not come through structlog."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=foreign,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *processors],
    )


def _only_its_kind(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An exception's name on the screen; where it came from stands in the file."""
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else sys.exc_info()[1] if found else None
    if error is not None:
        event["error"] = type(error).__name__
    return event
