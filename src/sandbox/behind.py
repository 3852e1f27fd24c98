"""What stands behind the sample: a Radicale that the team is connected to, or a stand-in for Google to connect.

Each is a context manager that gives a `Behind`, and ends what it started.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox import google_sample
from sandbox.caldav_upload import upload
from sandbox.events import resources
from sandbox.google import GoogleSandbox
from sandbox.google.oauth import Client
from sandbox.google.state import Keeper, UnreadableState, restore
from sandbox.google.validate import DocumentMissing
from sandbox.kept import CannotRun, listens, port_of
from sandbox.radicale import Radicale
from sandbox.team import TEAM, TIME_ZONE, Teammate

CALLBACK = "/accounts/google/callback"


@dataclass(frozen=True, slots=True)
class Login:
    """A teammate's account at a CalDAV server, for Tandem to connect."""

    mate: Teammate
    url: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Behind:
    """`environment` is for Tandem's settings. `fill` puts the meetings there, for a `today`; twice leaves the same.

    The sample connects `logins`; `words` are lines for the terminal.
    """

    environment: dict[str, str] = field(repr=False)
    fill: Callable[[date], None]
    logins: tuple[Login, ...]
    words: tuple[str, ...] = field(repr=False)


@contextmanager
def on_radicale(data: Path) -> Iterator[Behind]:
    """A real Radicale, a program of its own. Raises `CannotRun`."""
    _alone_in(data, without="google")
    with Radicale(data / "radicale", [mate.login for mate in TEAM if mate.login]) as server:
        words = [f"Any CalDAV program shows the same calendars: {server.url}"]
        words += [f"  user {login:<6} password {password}" for login, password in server.passwords.items()]
        logins = tuple(Login(mate, server.url, server.passwords[mate.login]) for mate in TEAM if mate.login)
        yield Behind(
            environment={},
            fill=lambda today: upload(server.url, server.passwords, TEAM, resources(today)),
            logins=logins,
            words=tuple(words),
        )


@contextmanager
def on_google(data: Path, public_url: str) -> Iterator[Behind]:
    """The stand-in for Google, in threads of this process. Nobody is connected to it yet. Raises `CannotRun`."""
    _alone_in(data, without="radicale")
    folder = data / "google"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = port_of(folder)
    if listens(port):
        raise CannotRun(
            f"Port {port}, which the sample's stand-in for Google uses, is taken by another program. "
            f"Stop that one, or start with another data folder."
        )
    standin, client = _standin(folder / "state.json", public_url + CALLBACK)
    with standin.serve(port) as site:
        behind = Behind(
            environment={
                "TANDEM_GOOGLE_SITE": site,
                "GOOGLE_CLIENT_ID": client.id,
                "GOOGLE_CLIENT_SECRET": client.secret,
            },
            fill=lambda today: None,  # a new stand-in has its meetings from the start
            logins=(),
            words=tuple(_google_words(standin, site)),
        )
        with Keeper(standin, folder / "state.json"):
            yield behind


def _standin(path: Path, callback: str) -> tuple[GoogleSandbox, Client]:
    """As it was kept, or new with the sample's meetings; and Tandem's OAuth client there. Raises `CannotRun`."""
    try:
        # Another seed each time: tokens and ids must not come a second time.
        standin = GoogleSandbox(seed=secrets.randbits(64))
        if path.exists():
            restore(standin, path.read_bytes())
        else:
            google_sample.people(standin)
            google_sample.meetings(standin, resources(datetime.now(UTC).astimezone(ZoneInfo(TIME_ZONE)).date()))
    except (DocumentMissing, UnreadableState) as problem:
        raise CannotRun(str(problem)) from problem
    client = next(iter(standin.oauth.clients.values()), None) or standin.oauth.add_client("Tandem")
    client.redirects.add(callback)
    return standin, client


def _google_words(standin: GoogleSandbox, site: str) -> Iterator[str]:
    yield f"Their calendars are at a stand-in for Google, {site}, and nobody is connected yet:"
    yield "sign in as Alice, then Accounts, Connect Google. Its pages imitate Google's; nothing leaves this machine."
    yield f"  look into the calendars and change them  {site}/calendar/r"
    yield f"  take back what was allowed               {site}/connections"
    yield f"  requests that came in                    {site}/_sandbox/requests"
    yield f"  mails that Google would send             {site}/_sandbox/mails"
    yield f"Any Google client can be pointed at it: {site}/calendar/v3/"
    for mate in TEAM:
        yield f"  {mate.name.split()[0].lower():<6} token {standin.lasting_token(mate.email)}"


def _alone_in(data: Path, *, without: str) -> None:
    """The two kinds of sample have a folder each. Raises `CannotRun`."""
    if (data / without).exists():
        kind = "./start --google" if without == "google" else "./start without --google"
        raise CannotRun(f"The data in {data} are those of {kind}. Choose another folder: --data DIR")
