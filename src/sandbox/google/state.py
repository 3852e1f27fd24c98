"""What of the sandbox outlives its process: a JSON file in a plain, versioned form.

Kept are accounts, calendars, events with their versions, clients, grants, tokens, sync tokens, channels and the
mails. Forgotten are pages in progress, codes of ten minutes, quotas and the request log.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from types import TracebackType

import msgspec

from sandbox.google.listing import Cursor
from sandbox.google.mail import Mail
from sandbox.google.oauth import Access, Client, Grant
from sandbox.google.problems import Json
from sandbox.google.push import Channel
from sandbox.google.sandbox import GoogleSandbox
from sandbox.google.store import Calendar, Entry, Gone, User
from sandbox.kept import write_whole

VERSION = 1
SYNC_TOKENS = 1000
"""The newest of each calendar that are kept. Every look at a calendar gives one."""
LEAP = 10_000
"""How far numbers of changes jump at a restart: what the last second wrote may be lost, and no etag may come twice."""
PAUSE_SECONDS = 1.0


class UnreadableState(Exception):
    """Why a file cannot be taken up, as a sentence."""


class KeptEntry(msgspec.Struct):
    id: str
    data: Json
    changed: int
    gone: Gone
    overridden: set[str]


class KeptCalendar(msgspec.Struct):
    """`entries` in the order of their last change."""

    id: str
    summary: str
    zone: str
    owner: str
    roles: dict[str, str]
    listed: dict[str, Json]
    description: str
    location: str
    changed: int
    list_changed: int
    deleted: bool
    entries: list[KeptEntry]


class KeptAccess(msgspec.Struct):
    """`grant` is its refresh token, empty for a token without one."""

    token: str
    user: str
    scopes: tuple[str, ...]
    ends: datetime
    client: str
    grant: str


class State(msgspec.Struct):
    version: int
    latest: int
    users: list[User]
    calendars: list[KeptCalendar]
    clients: list[Client]
    grants: list[Grant]
    access: list[KeptAccess]
    sync_tokens: dict[str, Cursor]
    list_sync_tokens: dict[str, int]
    channels: list[Channel]
    resource_ids: dict[str, str]
    mails: list[Mail]
    requests: int


def dump(sandbox: GoogleSandbox) -> bytes:
    """Everything that is kept, as indented JSON."""
    oauth, push, now = sandbox.oauth, sandbox.push, sandbox.clock.now()
    with sandbox.api.lock:
        state = State(
            version=VERSION,
            latest=sandbox.store.latest,
            users=list(sandbox.store.users.values()),
            calendars=[_calendar(each) for each in sandbox.store.calendars.values()],
            clients=list(oauth.clients.values()),
            grants=list(oauth.grants.values()),
            access=[
                KeptAccess(
                    token, each.user, each.scopes, each.ends, each.client, each.grant.token if each.grant else ""
                )
                for token, each in oauth.access.items()
                if each.ends > now and not each.revoked
            ],
            sync_tokens=_newest(sandbox.lists.cursors),
            list_sync_tokens=sandbox.calendars.cursors,
            channels=[each for each in push.channels.values() if each.ends > now],
            resource_ids=push.resource_ids,
            mails=sandbox.mails.rows,
            requests=sandbox.log.taken,
        )
        return msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n"


def restore(sandbox: GoogleSandbox, kept: bytes) -> None:
    """Fill a new sandbox with what `dump` gave. Raises `UnreadableState`."""
    try:
        state = msgspec.json.decode(kept, type=State)
    except msgspec.DecodeError as problem:
        raise UnreadableState(f"What the stand-in for Google kept cannot be read: {problem}.") from problem
    if state.version != VERSION:
        raise UnreadableState(f"What the stand-in for Google kept has version {state.version}, not {VERSION}.")
    store, oauth, push = sandbox.store, sandbox.oauth, sandbox.push
    store.latest = state.latest + LEAP
    store.changes = itertools.count(store.latest + 1)
    store.take_back(state.users, map(_restored, state.calendars))
    oauth.clients = {each.id: each for each in state.clients}
    oauth.grants = {each.token: each for each in state.grants}
    oauth.access = {
        each.token: Access(each.user, each.scopes, each.ends, each.client, oauth.grants.get(each.grant))
        for each in state.access
    }
    sandbox.lists.cursors, sandbox.lists.forgetful = state.sync_tokens, True
    sandbox.calendars.cursors = state.list_sync_tokens
    push.channels = {each.id: each for each in state.channels}
    push.resource_ids = state.resource_ids
    sandbox.mails.rows = state.mails
    sandbox.log.taken = state.requests


class Keeper:
    """Keeps a sandbox in a file while the context is open: after a change, once a second at most, and at the end.

    The file is written whole or not at all, and is for its owner alone: it holds tokens.
    """

    def __init__(self, sandbox: GoogleSandbox, path: Path) -> None:
        self._sandbox = sandbox
        self._path = path
        self._written = b""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="google-state", daemon=True)

    def __enter__(self) -> Keeper:
        self.save()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._sandbox.touched.set()
        self._thread.join()
        self.save()

    def save(self) -> None:
        """Write what is there now, unless the file says it already."""
        text = dump(self._sandbox)
        if text != self._written:
            write_whole(self._path, text)
            self._written = text

    def _watch(self) -> None:
        while True:
            self._sandbox.touched.wait()
            if self._closing.wait(PAUSE_SECONDS):
                return
            self._sandbox.touched.clear()
            self.save()


def _calendar(each: Calendar) -> KeptCalendar:
    entries = [
        KeptEntry(entry.id, entry.data, entry.changed, entry.gone, entry.overridden) for entry in each.entries.values()
    ]
    return KeptCalendar(
        each.id, each.summary, each.zone, each.owner, each.roles, each.listed, each.description, each.location,
        each.changed, each.list_changed, each.deleted, entries,
    )  # fmt: skip


def _restored(each: KeptCalendar) -> Calendar:
    made = Calendar(
        each.id, each.summary, each.zone, each.owner, each.roles, listed=each.listed, description=each.description,
        location=each.location, changed=each.changed, list_changed=each.list_changed, deleted=each.deleted,
    )  # fmt: skip
    for entry in each.entries:
        made.keep(Entry(entry.id, entry.data, entry.changed, entry.gone, entry.overridden))
    return made


def _newest(cursors: dict[str, Cursor]) -> dict[str, Cursor]:
    found: dict[str, list[str]] = defaultdict(list)
    for token, cursor in cursors.items():
        found[cursor.calendar].append(token)
    kept = itertools.chain.from_iterable(
        heapq.nlargest(SYNC_TOKENS, tokens, key=lambda token: cursors[token].given) for tokens in found.values()
    )
    return {token: cursors[token] for token in kept}
