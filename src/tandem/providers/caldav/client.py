"""CalDAV's requests, as methods: what goes out, and which answers are errors."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from tandem.calendaring.provider import NotFound, RemoteItem, TryLater
from tandem.providers.caldav import quirks, xml
from tandem.providers.http import Answer, Http

CHUNK = 100
_XML = "application/xml; charset=utf-8"


class Client:
    """Requests against one server. Paths are decoded; `endpoint` is any URL of that server."""

    def __init__(self, http: Http, endpoint: str) -> None:
        self._http = http
        self.endpoint = endpoint

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or self.endpoint

    def url(self, path: str) -> str:
        """The whole URL of a decoded path, or of a URL that names another host."""
        if "://" in path[:10]:
            parts = urlsplit(path)
            return f"{parts.scheme}://{parts.netloc}{quirks.quoted(parts.path)}"
        return urljoin(self.endpoint, quirks.quoted(path))

    def ask(self, method: str, url: str, body: str, depth: int) -> Answer:
        """A PROPFIND or REPORT; any status is given back."""
        return self._http.send(method, url, headers={"Depth": str(depth), "Content-Type": _XML}, body=body)

    def options(self, url: str) -> Answer:
        return self._http.send("OPTIONS", url)

    def report(self, path: str, body: str, *, depth: int) -> Answer:
        return self.ask("REPORT", self.url(path), body, depth)

    def propfind(self, path: str, properties: Sequence[str], *, depth: int) -> xml.Multistatus:
        """Raises the errors of `calendaring.provider`."""
        return self.multistatus(self.ask("PROPFIND", self.url(path), xml.propfind(properties), depth), "PROPFIND")

    def multistatus(self, answer: Answer, method: str) -> xml.Multistatus:
        """What a 207 says. Raises the errors of `calendaring.provider` for anything else."""
        if not answer.ok:
            raise self._http.error(answer, method)
        try:
            return xml.parse(answer.body)
        except xml.NotMultistatus as error:
            # A page of the network's own, or of maintenance: later the server is back.
            raise TryLater(f"{self.host} answered with something that is no calendar data.") from error

    def get(self, path: str) -> RemoteItem | None:
        """The resource as it stands now, without events; None when it is gone. Raises provider errors."""
        answer = self._http.send("GET", self.url(path), headers={"Accept": "text/calendar"})
        if not answer.ok:
            error = self._http.error(answer, "GET")
            if isinstance(error, NotFound):
                return None
            raise error
        etag, schedule_tag = answer.headers.get("etag", ""), answer.headers.get("schedule-tag", "")
        return RemoteItem(path, etag, answer.body.decode("utf-8", "replace"), (), schedule_tag)

    def put(self, path: str, text: str, condition: dict[str, str]) -> Answer:
        """Raises provider errors, `Changed` when the condition does not hold."""
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        answer = self._http.send("PUT", self.url(path), headers=headers, body=quirks.crlf(text))
        if not answer.ok:
            raise self._http.error(answer, "PUT")
        return answer

    def delete(self, path: str, headers: dict[str, str]) -> None:
        """Gone already is fine. Raises provider errors, `Changed` when the condition does not hold."""
        answer = self._http.send("DELETE", self.url(path), headers=headers)
        if not answer.ok:
            error = self._http.error(answer, "DELETE")
            if not isinstance(error, NotFound):
                raise error

    def multiget(self, calendar: str, paths: Sequence[str]) -> dict[str, RemoteItem | None]:
        """The resources at `paths`, without events; None for one that is gone.

        Some servers cut such an answer short without a word: what is missing is fetched one by one.
        """
        found: dict[str, RemoteItem | None] = {}
        answer = self.report(calendar, xml.multiget(quirks.quoted(path) for path in paths), depth=1)
        if not quirks.no_multiget(answer.status):
            for resource in self.multistatus(answer, "REPORT"):
                item = item_of(resource)
                if item is not None:
                    found[item.remote_id] = item
        return {path: found[path] if path in found else self.get(path) for path in paths}


def item_of(resource: xml.Resource) -> RemoteItem | None:
    """The resource with its data; None when the answer has none."""
    raw = resource.raw(f"{xml.CALDAV}calendar-data")
    if raw is None or not raw.strip():
        return None
    return RemoteItem(
        resource.path, resource.text(f"{xml.DAV}getetag"), raw, (), resource.text(f"{xml.CALDAV}schedule-tag")
    )
