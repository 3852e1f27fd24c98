"""Push: channels on a calendar's events, and the notifications that a change sends to their callbacks.

"Push notifications": a POST without a body, all in headers; first a `sync`, then `exists` for changes, with
message numbers that rise but not by one. Channels end by themselves and cannot be renewed. Delivery runs in a
thread of its own, with retries for 500, 502, 503 and 504.
"""

from __future__ import annotations

import http.client
import queue
import random
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from sandbox.google.behaviour import Behaviour
from sandbox.google.problems import Json, Problem, invalid, not_found, required
from sandbox.google.store import Calendar, Store, User

LIFE = timedelta(days=7)
_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")
_RETRIED = {500, 502, 503, 504}
_HERE = {"127.0.0.1", "localhost", "::1"}


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is no delivery."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


@dataclass(slots=True)
class Channel:
    id: str
    resource_id: str
    resource_uri: str
    calendar: str
    user: str
    address: str
    token: str
    ends: datetime
    number: int = 0
    stopped: bool = False

    def as_json(self) -> Json:
        body = {"kind": "api#channel", "id": self.id, "resourceId": self.resource_id, "resourceUri": self.resource_uri}
        body["expiration"] = str(int(self.ends.timestamp() * 1000))
        return body | ({"token": self.token} if self.token else {})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification that was tried: the channel, its state, the callback's status (0: none came)."""

    channel: str
    state: str
    number: int
    status: int


class Push:
    """`lose` and `double` are chances that a notification never leaves, or leaves twice. `late` notifications
    still come after a channel was stopped."""

    def __init__(self, store: Store, behaviour: Behaviour, seed: int) -> None:
        self._store = store
        self._behaviour = behaviour
        self._random = random.Random(seed)
        self.channels: dict[str, Channel] = {}
        self.deliveries: list[Delivery] = []
        self.lose = 0.0
        self.double = 0.0
        self.late = 1
        self.retry_seconds = 0.2
        self._queue: queue.Queue[tuple[Channel, dict[str, str], str]] = queue.Queue()
        self.resource_ids: dict[str, str] = {}
        self._opener = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))
        self._thread: threading.Thread | None = None

    def watch(self, user: User, calendar: Calendar, uri: str, body: Json) -> Channel:
        """Open a channel. Raises `Problem` 400."""
        now = self._store.clock.now()
        name, address, token = body.get("id", ""), body.get("address", ""), body.get("token", "")
        if not name:
            raise required("required field: id")
        if not _ID.fullmatch(name):
            raise invalid("Invalid channel id.")
        if body.get("type") not in {"web_hook", "webhook"}:
            raise invalid("Unknown channel type.", reason="invalidValue")
        if len(token) > 256:
            raise invalid("The channel token is too long.")
        self._check_address(address)
        if name in self.channels:
            raise Problem(400, "channelIdNotUnique", f"Channel id {name} not unique")
        ends = now + LIFE
        if "ttl" in (body.get("params") or {}):
            ends = min(ends, now + timedelta(seconds=int(body["params"]["ttl"])))
        if body.get("expiration"):
            ends = min(ends, datetime.fromtimestamp(int(body["expiration"]) / 1000, now.tzinfo))
        if ends <= now:
            raise invalid("Invalid channel expiration.")
        resource = self.resource_ids.setdefault(calendar.id, f"r{self._random.getrandbits(100):026x}")
        channel = Channel(name, resource, uri, calendar.id, user.address, address, token, ends)
        self.channels[name] = channel
        self._send(channel, "sync")
        return channel

    def stop(self, body: Json) -> None:
        """Raises `Problem` 404 unless both ids name a channel that runs."""
        channel = self.channels.get(body.get("id", ""))
        if channel is None or channel.stopped or channel.resource_id != body.get("resourceId"):
            raise not_found()
        channel.stopped = True

    def changed(self, calendar: Calendar) -> None:
        """Tell every channel on that calendar."""
        now = self._store.clock.now()
        for channel in self.channels.values():
            if channel.calendar != calendar.id or channel.ends <= now:
                continue
            if channel.stopped:
                if self.late <= 0:
                    continue
                self.late -= 1
            if self._random.random() >= self.lose:
                self._send(channel, "exists")
                if self._random.random() < self.double:
                    self._queue.put((channel, self._headers(channel, "exists"), "exists"))

    def flush(self) -> None:
        """Wait until all that was to be delivered has been tried."""
        self._queue.join()

    def _check_address(self, address: str) -> None:
        parts = urlsplit(address)
        plain = self._behaviour.plain_callbacks and parts.scheme == "http" and parts.hostname in _HERE
        if parts.scheme != "https" and not plain:
            raise Problem(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
        if not parts.hostname:
            raise invalid("Invalid channel address.")

    def _send(self, channel: Channel, state: str) -> None:
        channel.number += 1 if state == "sync" else self._random.randint(1, 900)
        self._queue.put((channel, self._headers(channel, state), state))
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name="google-push", daemon=True)
            self._thread.start()

    def _headers(self, channel: Channel, state: str) -> dict[str, str]:
        headers = {
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
            "Content-Type": "application/json; utf-8",
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": format_datetime(channel.ends, usegmt=True),
            "X-Goog-Message-Number": str(channel.number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": state,
            "X-Goog-Resource-URI": channel.resource_uri,
        }
        return headers | ({"X-Goog-Channel-Token": channel.token} if channel.token else {})

    def _deliver(self) -> None:
        while True:
            channel, headers, state = self._queue.get()
            try:
                status = 0
                for attempt in range(4):
                    status = self._post(channel.address, headers)
                    if status not in _RETRIED:
                        break
                    threading.Event().wait(self.retry_seconds * 2**attempt)
                self.deliveries.append(Delivery(channel.id, state, int(headers["X-Goog-Message-Number"]), status))
            finally:
                self._queue.task_done()

    def _post(self, address: str, headers: dict[str, str]) -> int:
        request = urllib.request.Request(address, data=b"", headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code
        except (OSError, http.client.HTTPException):
            return 0
