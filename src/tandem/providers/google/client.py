"""Requests to Google Calendar's API, with an access token, and what its errors mean.

The reasons are those of "Handle API errors". A read is tried again here a few times, for most of Google's
refusals are over in a second; a write never is: what became of it has to be looked up first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from tandem.calendaring.provider import (
    AnswerLost,
    Bearer,
    Changed,
    CursorExpired,
    NotFound,
    ProviderError,
    ReconnectNeeded,
    Refused,
    TryLater,
)
from tandem.providers import network
from tandem.providers.google.quota import Quota
from tandem.providers.http import (
    MOST_REDIRECTS,
    TIMEOUT,
    Answer,
    Now,
    read_limited,
    retry_after,
    transport_error,
    user_agent,
)

API = "https://www.googleapis.com/calendar/v3"
T = TypeVar("T")
Params = Mapping[str, str]
Pause = Callable[[float], None]

TRIES = 4
_PATIENCE = 8.0
"""Seconds that a read waits for Google by itself. Longer waits are the calendar's, not the thread's."""
_BUSY = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})
_EXPIRED = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (only differences are taken)
_quota = Quota()


class _Problem(msgspec.Struct):
    reason: str = ""


class _Error(msgspec.Struct):
    errors: list[_Problem] = []
    message: str = ""


class _Answered(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


class Client:
    """One account's requests. `account` is its address; `pause` waits, and `now` is UTC (both for simulations)."""

    def __init__(
        self,
        bearer: Bearer,
        *,
        account: str,
        root: str,
        now: Now,
        transport: httpx2.BaseTransport | None = None,
        guard: network.Guard | None = None,
        pause: Pause = time.sleep,
        quota: Quota | None = None,
    ) -> None:
        self._bearer = bearer
        self._account = account
        self._root = root.rstrip("/")
        self._now = now
        self._pause = pause
        self._quota = quota or _quota
        self._token = ""
        self._client = httpx2.Client(
            transport=transport or network.transport(guard),
            timeout=TIMEOUT,
            follow_redirects=False,
            max_redirects=MOST_REDIRECTS,
            trust_env=False,
            headers={"User-Agent": f"{user_agent()} (gzip)", "Accept-Encoding": "gzip, deflate"},
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, params: Params | None = None) -> bytes:
        """A read, tried again while Google is busy. Raises the errors of `calendaring.provider`."""
        for attempt in range(TRIES):
            try:
                return self._send("GET", path, params or {}, b"", "")
            except TryLater as error:
                if attempt == TRIES - 1:
                    raise
                self.wait(attempt, error)
        raise AssertionError("the last try answers or raises")

    def wait(self, attempt: int, error: TryLater) -> None:
        """Before the next try: longer each time, and as Google asks. Raises `error` where that is too long."""
        seconds = max(error.retry_after or 0.0, 0.4 * 2**attempt) * random.uniform(0.7, 1.3)  # noqa: S311 (jitter)
        if seconds > _PATIENCE:
            raise error
        self._pause(seconds)

    def write(self, method: str, path: str, params: Params, body: object = None, *, etag: str = "") -> bytes:
        """One write, on the condition that `etag` still stands. Raises the errors of `calendaring.provider`."""
        content = b"" if body is None else msgspec.json.encode(body)
        return self._send(method, path, params, content, etag)

    def _send(self, method: str, path: str, params: Params, body: bytes, etag: str) -> bytes:
        wait = self._quota.take(self._account, (self._now().replace(tzinfo=None) - _EPOCH).total_seconds())
        if wait > 0:
            raise TryLater("This account asked Google a lot in the last minute. Tandem waits.", retry_after=wait)
        if not self._token:
            self._token = self._bearer("")
        answer = self._exchange(method, path, params, body, etag)
        if answer.status == 401:
            # The token ran out, or was revoked: whoever keeps it knows, and nothing was carried out.
            self._token = self._bearer(self._token)
            answer = self._exchange(method, path, params, body, etag)
        if answer.ok:
            return answer.body
        raise self._error(answer, method, cursor="syncToken" in params)

    def _exchange(self, method: str, path: str, params: Params, body: bytes, etag: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"}
        if body:
            headers["Content-Type"] = "application/json"
        if etag:
            headers["If-Match"] = etag
        url = httpx2.URL(f"{self._root}/{path}")
        try:
            with self._client.stream(
                method, url, params=dict(params), headers=headers, content=body or None
            ) as response:
                return Answer(response.status_code, response.headers, read_limited(response), str(url))
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise transport_error(error, method, "Google") from error

    def _error(self, answer: Answer, method: str, *, cursor: bool) -> ProviderError:
        status, write = answer.status, method != "GET"
        after = retry_after(answer.headers.get("retry-after", ""), self._now())
        reason, message = _reason(answer.body)
        if status == 401:
            return ReconnectNeeded("Google no longer lets Tandem in. Connect this account again.")
        if status == 429 or (status == 403 and reason in _BUSY):
            return TryLater("Google asks for patience. Tandem tries again by itself.", retry_after=after)
        if status >= 500 or status == 408:
            if write:
                words = "Google has trouble. Tandem looks first whether the change arrived."
                return AnswerLost(words, retry_after=after)
            return TryLater("Google has trouble of its own. Tandem tries again by itself.", retry_after=after)
        if reason in _EXPIRED or (cursor and status == 400):
            return CursorExpired("Google no longer knows what it said last.")
        if status == 412:
            return Changed("This event was changed in the calendar in the meantime.")
        if status == 409:
            return Changed("There is an event of this name already.")
        if status in {404, 410}:
            return NotFound("This is no longer in Google Calendar.")
        if status == 403 and reason in {"insufficientPermissions", "insufficientScopes"}:
            words = "Google was not asked to let Tandem do this. Connect this account again and tick everything."
            return ReconnectNeeded(words)
        return Refused(_refusal(status, reason, message, write=write))


def _refusal(status: int, reason: str, message: str, *, write: bool) -> str:
    if reason == "forbiddenForNonOrganizer":
        return "Only the organizer of this meeting can change that."
    if reason in {"accessNotConfigured", "SERVICE_DISABLED"}:
        return "The Google Calendar API is not switched on in this installation’s Google project. An administrator can."
    if status == 403:
        return "Google lets you read this calendar, not change it." if write else "Google does not show you this."
    said = f" It says: {message[:200]}" if message else ""
    return f"Google did not take this change.{said}" if write else f"Google did not understand the question.{said}"


def _reason(body: bytes) -> tuple[str, str]:
    """The first reason and the message of an error's body ("Handle API errors"); empty for another body."""
    try:
        error = msgspec.json.decode(body, type=_Answered).error
    except msgspec.MsgspecError:
        return "", ""
    return (error.errors[0].reason if error.errors else ""), error.message


def decoded(decoder: msgspec.json.Decoder[T], answer: bytes) -> T:
    """An answer in its type. Raises `TryLater` for one that is not as the document says."""
    try:
        return decoder.decode(answer)
    except msgspec.MsgspecError as error:
        raise TryLater("Google’s answer could not be read. Tandem tries again by itself.") from error


def segment(name: str) -> str:
    """An id as one segment of a path."""
    return quote(name, safe="@")


def milliseconds(moment: datetime) -> str:
    """An instant as channels name their end."""
    return str(int(moment.timestamp() * 1000))


def from_milliseconds(text: str, otherwise: datetime) -> datetime:
    """The inverse; `otherwise` when it is none."""
    if not text.isascii() or not text.isdigit():
        return otherwise
    return (_EPOCH + timedelta(milliseconds=int(text[:15]))).replace(tzinfo=otherwise.tzinfo)
