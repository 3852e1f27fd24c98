"""HTTP for providers: time limits, a size limit, redirects by hand, and one place for errors.

Statuses and transport errors become the errors of `calendaring.provider` here and nowhere else. What
they say is for the person whose calendar it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version

import httpx2

from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    Credentials,
    NotFound,
    ProviderError,
    ReconnectNeeded,
    Refused,
    TryLater,
)
from tandem.providers import network

Now = Callable[[], datetime]

TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
LARGEST_ANSWER = 64 * 1024 * 1024
MOST_REDIRECTS = 5
_WRITES = frozenset({"PUT", "DELETE", "POST", "PATCH", "MKCALENDAR", "PROPPATCH", "MOVE", "COPY"})
_BUSY = frozenset({408, 423, 425, 429, 503})


def user_agent() -> str:
    try:
        return f"Tandem/{version('tandem-crm')}"
    except PackageNotFoundError:
        return "Tandem"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end. `url` is where it came from in the end."""

    status: int
    headers: httpx2.Headers
    body: bytes
    url: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Http:
    """Requests with one credential. Thread-safe; give it back with `close`.

    `transport` replaces the network (tests, simulations). `guard` sees every address connected to.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        now: Now,
        transport: httpx2.BaseTransport | None = None,
        guard: network.Guard | None = None,
    ) -> None:
        self._credentials = credentials
        self._now = now
        self._auth: httpx2.Auth = httpx2.BasicAuth(credentials.username, credentials.password)
        self._client = httpx2.Client(
            transport=transport or network.transport(guard),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip, deflate"},
        )

    def close(self) -> None:
        self._client.close()

    def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
        """One request, redirects followed, any status given back.

        Raises `TryLater` when nobody answers, and `AnswerLost` when a write may have been carried out.
        """
        start = current = _url(url)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._exchange(method, current, headers or {}, body)
            if answer.status == 401 and self._learn_digest(answer):
                answer = self._exchange(method, current, headers or {}, body)
            location = answer.headers.get("location", "")
            if answer.status not in {301, 302, 303, 307, 308} or not location:
                return answer
            current = _next(method, start, current, location, answer.status)
        raise TryLater(f"{start.host} sends Tandem round in circles.")

    def _learn_digest(self, answer: Answer) -> bool:
        """Some servers take only Digest (RFC 7616): from then on all requests use it."""
        offered = answer.headers.get("www-authenticate", "").lower()
        if "digest" not in offered or "basic" in offered or isinstance(self._auth, httpx2.DigestAuth):
            return False
        self._auth = httpx2.DigestAuth(self._credentials.username, self._credentials.password)
        return True

    def _exchange(self, method: str, url: httpx2.URL, headers: Mapping[str, str], body: str) -> Answer:
        content = body.encode() if body else None
        try:
            with self._client.stream(method, url, headers=dict(headers), content=content, auth=self._auth) as response:
                return Answer(response.status_code, response.headers, read_limited(response), str(url))
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise transport_error(error, method, url.host) from error

    def error(self, answer: Answer, method: str) -> ProviderError:
        """What a status other than 2xx means (RFC 9110 15.5 and 15.6, RFC 4918 11)."""
        return status_error(answer, method, self._now())


def _url(url: str) -> httpx2.URL:
    try:
        made = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise Refused(f"{url[:100]} is not an address of a server.") from error
    if made.scheme not in {"http", "https"} or not made.host:
        raise Refused(f"{url[:100]} is not an address of a server.")
    return made.copy_with(userinfo=b"")


def _next(method: str, start: httpx2.URL, current: httpx2.URL, location: str, status: int) -> httpx2.URL:
    """Where a redirect leads, if the password may go there: the same host, or any over HTTPS.

    It never goes from HTTPS to HTTP, and a write only follows where the method is kept (RFC 9110 15.4).
    """
    try:
        target = _url(str(current.join(location)))
    except httpx2.InvalidURL as error:
        raise Refused(f"{current.host} sends Tandem on to something that is no address.") from error
    if current.scheme == "https" and target.scheme != "https":
        raise Refused(f"{current.host} sends Tandem on to an address without encryption. Your password was not sent.")
    if target.scheme != "https" and (target.host, target.port) != (start.host, start.port):
        raise Refused(
            f"{current.host} sends Tandem on to {target.host} without encryption. Your password was not sent."
        )
    if method in _WRITES and (status not in {307, 308} or target.host != start.host):
        raise Refused(f"{current.host} has moved this calendar to {target.host}. Connect it again.")
    return target


def read_limited(response: httpx2.Response) -> bytes:
    """The body, decompressed, as long as it is not larger than any calendar's answer should be."""
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise Refused(f"{response.url.host} answers with more than Tandem can take at once.")
        parts.append(part)
    return b"".join(parts)


def transport_error(error: Exception, method: str, host: str) -> ProviderError:
    """No whole answer: was the request not sent, or may a write have been carried out?"""
    if isinstance(error.__cause__, network.ForbiddenAddress):
        return Refused(
            f"{host} is in a private network. Tandem does not connect there; your administrator can allow it."
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.UnsupportedProtocol):
        secure = "certificate" in str(error).lower()
        if secure:
            return TryLater(f"{host} shows a certificate that is not valid. Nothing was sent there.")
        return TryLater(f"No server answers at {host}. Tandem tries again by itself.")
    if method in _WRITES:
        return AnswerLost(f"{host} did not answer. Tandem looks first whether the change arrived, then tries again.")
    return TryLater(f"{host} did not answer in time. Tandem tries again by itself.")


def status_error(answer: Answer, method: str, now: datetime) -> ProviderError:
    """The one table of statuses."""
    status, host, write = answer.status, httpx2.URL(answer.url).host, method in _WRITES
    after = retry_after(answer.headers.get("retry-after", ""), now)
    if status == 401:
        return ReconnectNeeded(f"{host} does not take this user name and password.")
    if status == 412:
        return Changed("This event was changed in the calendar in the meantime.")
    if status in {404, 410}:
        return NotFound(f"This is no longer at {host}.")
    if status in _BUSY:
        return TryLater(f"{host} asks for patience. Tandem tries again by itself.", retry_after=after)
    if status >= 500 and status != 507:
        if write and status != 501:
            return AnswerLost(f"{host} has trouble. Tandem looks first whether the change arrived.", retry_after=after)
        return TryLater(f"{host} has trouble of its own. Tandem tries again by itself.", retry_after=after)
    return Refused(_refusal(status, host, write=write))


def _refusal(status: int, host: str, *, write: bool) -> str:
    if status == 403:
        return f"{host} lets you read this calendar, not change it." if write else f"{host} does not show you this."
    if status == 413:
        return f"{host} did not take this change: the event is too large."
    if status == 507:
        return f"{host} has no room left."
    if status == 409 and write:
        return f"{host} did not take this change: it holds another event like this one, or the calendar is gone."
    return f"{host} did not take this change." if write else f"{host} did not understand the question."


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds to wait from a Retry-After header (RFC 9110 10.2.3): a number, or a date. None for neither."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
