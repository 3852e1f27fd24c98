"""WebDAV's XML: names, request bodies, and multistatus answers (RFC 4918 13). Entities are never resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from lxml import etree

from tandem.providers.caldav import quirks

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
SERVER = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"
_PREFIXES = {DAV: "D", CALDAV: "C", SERVER: "S", APPLE: "A"}
_NAMESPACES = " ".join(f'xmlns:{prefix}="{name[1:-1]}"' for name, prefix in _PREFIXES.items())


class NotMultistatus(ValueError):
    """The body is not what a WebDAV server answers."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One response: the decoded path, its own status (0 for none), and the properties that it has."""

    path: str
    href: str
    status: int
    properties: dict[str, etree._Element] = field(default_factory=dict)

    def text(self, name: str) -> str:
        found = self.properties.get(name)
        return (found.text or "").strip() if found is not None else ""

    def raw(self, name: str) -> str | None:
        """The text as it stands, or None when there is none."""
        found = self.properties.get(name)
        return found.text if found is not None else None

    def hrefs(self, name: str) -> list[str]:
        """The hrefs inside a property."""
        found = self.properties.get(name)
        if found is None:
            return []
        texts = [(href.text or "").strip() for href in found.iter(f"{DAV}href")]
        return [text for text in texts if text and quirks.is_readable(text)]

    def has(self, name: str, inner: str) -> bool:
        """Whether property `name` has an element `inner` in it."""
        found = self.properties.get(name)
        return found is not None and next(found.iter(inner), None) is not None


@dataclass(frozen=True, slots=True)
class Multistatus:
    resources: Sequence[Resource]
    sync_token: str

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    @property
    def truncated(self) -> bool:
        """507 for the request URI: there is more (RFC 6578 3.6)."""
        return any(resource.status == 507 for resource in self.resources)


def parse(body: bytes) -> Multistatus:
    """Raises `NotMultistatus`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotMultistatus(str(error)) from error
    if root is None or root.tag != f"{DAV}multistatus" or root.getroottree().docinfo.internalDTD is not None:
        raise NotMultistatus("no multistatus")
    resources = [resource for response in root.iter(f"{DAV}response") for resource in _resources(response)]
    return Multistatus(resources, (root.findtext(f"{DAV}sync-token") or "").strip())


def _resources(response: etree._Element) -> Iterator[Resource]:
    """A response has one href with properties, or several with one status (RFC 4918 14.24). Raises `NotMultistatus`."""
    status = _status(response.findtext(f"{DAV}status"))
    properties: dict[str, etree._Element] = {}
    for propstat in response.findall(f"{DAV}propstat"):
        if 200 <= _status(propstat.findtext(f"{DAV}status"), default=200) < 300:
            for prop in propstat.findall(f"{DAV}prop"):
                properties |= {str(element.tag): element for element in prop}
    for href in response.findall(f"{DAV}href"):
        text = (href.text or "").strip()
        if not quirks.is_readable(text):
            # left out, it would count as an event that is gone
            raise NotMultistatus(f"{text[:100]} is no address")
        yield Resource(quirks.path_of(text), text, status, properties)


def _status(line: str | None, default: int = 0) -> int:
    """The number in `HTTP/1.1 404 Not Found`."""
    parts = (line or "").split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else default


def _document(tag: str, inside: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{tag} {_NAMESPACES}>{inside}</{tag}>'


def _names(properties: Iterable[str]) -> str:
    elements = []
    for name in properties:
        space, _, local = name.partition("}")
        elements.append(f"<{_PREFIXES[space + '}']}:{local}/>")
    return f"<D:prop>{''.join(elements)}</D:prop>"


def propfind(properties: Iterable[str]) -> str:
    return _document("D:propfind", _names(properties))


def sync_collection(token: str) -> str:
    """RFC 6578 3.2; an empty token asks for everything."""
    token = f"<D:sync-token>{escape(token)}</D:sync-token><D:sync-level>1</D:sync-level>"
    return _document("D:sync-collection", token + _names([f"{DAV}getetag"]))


def multiget(hrefs: Iterable[str]) -> str:
    """RFC 4791 7.9."""
    wanted = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
    return _document("C:calendar-multiget", _names(_DATA) + wanted)


def time_range(start: str, end: str) -> str:
    """RFC 4791 7.8.1: the events that overlap [start, end), UTC DATE-TIMEs."""
    span = f'<C:time-range start="{start}" end="{end}"/>'
    inner = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{span}</C:comp-filter></C:comp-filter>'
    return _document("C:calendar-query", f"{_names(_DATA)}<C:filter>{inner}</C:filter>")


_DATA = (f"{DAV}getetag", f"{CALDAV}calendar-data", f"{CALDAV}schedule-tag")
