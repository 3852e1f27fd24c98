"""A mail server that delivers to a folder: every message becomes an .eml file there, and goes no further."""

from __future__ import annotations

import itertools
import socket
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailSink:
    """Listens on a free port of 127.0.0.1, in a thread of its own.

    Files are named `<milliseconds>-<number>.eml`, so that their names sort by arrival, and begin with
    `X-Envelope-To` lines: who would have got the message.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        # Bound here: aiosmtpd's own start connects to the port that it was given, and 0 is none.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._controller = Controller(_Keep(folder), hostname="127.0.0.1", port=self.port)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def __enter__(self) -> MailSink:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Keep:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        name = f"{time.time_ns() // 1_000_000:015d}-{next(self._numbers):04d}.eml"
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        recipients = "".join(f"X-Envelope-To: {address}\r\n" for address in envelope.rcpt_tos)
        draft = self._folder / f".{name}"
        draft.write_bytes(recipients.encode() + content)
        draft.rename(self._folder / name)
        return "250 Kept"
