"""From an address that a person typed to principal, addresses and calendars (RFC 6764, RFC 4791 6 and 7.4).

SRV and TXT records (RFC 6764 3) are not asked: that needs a DNS client of its own, and servers that
publish them answer at /.well-known/caldav too.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from tandem.calendaring import ics
from tandem.calendaring.ics.zones import by_name
from tandem.calendaring.identity import normalise_address
from tandem.calendaring.provider import (
    Discovery,
    NotACalendarServer,
    ProviderError,
    ReconnectNeeded,
    Refused,
    RemoteCalendar,
)
from tandem.providers.caldav import quirks
from tandem.providers.caldav.client import Client
from tandem.providers.caldav.xml import (
    APPLE,
    CALDAV,
    DAV,
    Multistatus,
    NotMultistatus,
    Resource,
    parse,
    propfind,
)
from tandem.providers.http import Answer, Http

_WHO = (f"{DAV}current-user-principal", f"{DAV}resourcetype", f"{CALDAV}calendar-home-set")
_HOME = (f"{CALDAV}calendar-home-set", f"{CALDAV}calendar-user-address-set", f"{DAV}principal-URL")
_CALENDAR = (
    f"{DAV}resourcetype",
    f"{DAV}displayname",
    f"{DAV}current-user-privilege-set",
    f"{CALDAV}supported-calendar-component-set",
    f"{CALDAV}calendar-timezone",
    f"{APPLE}calendar-color",
)
_WRITING = (f"{DAV}write", f"{DAV}write-content", f"{DAV}bind", f"{DAV}all")


def discover(http: Http, address: str) -> Discovery:
    """What the account at `address` holds. Writes nothing.

    Raises `ReconnectNeeded` for a wrong password, `TryLater` for a host that is not there, and
    `NotACalendarServer` for one that speaks something else; each with a sentence of its own.
    """
    start = start_url(address)
    if urlsplit(start).scheme not in {"http", "https"}:
        raise NotACalendarServer("A calendar server’s address begins with https://.")
    client = Client(http, start)
    url, found = _first_answer(client, start)
    principal = _principal(url, found)
    who = _ask(client, principal, _HOME) if principal else found
    homes = [urljoin(principal or url, href) for href in _all_hrefs(who, f"{CALDAV}calendar-home-set")]
    if not homes:
        homes = _calendar_itself(url, found)
    if not homes:
        raise NotACalendarServer(f"{client.host} is a file server, but it keeps no calendars for you.")
    return Discovery(
        endpoint=homes[0],
        subject_id=principal or homes[0],
        addresses=_addresses(who),
        schedules=_schedules(client, homes[0]),
        calendars=tuple(calendar for home in homes for calendar in _calendars(client, home, homes[0])),
    )


def start_url(address: str) -> str:
    """The URL to begin with: what was typed, HTTPS unless it says otherwise; of a mail address the host.

    Raises `NotACalendarServer` for what is no URL at all.
    """
    text = address.strip()
    if "://" not in text:
        text = "https://" + (text.rpartition("@")[2] if "@" in text and "/" not in text else text)
    if not quirks.is_readable(text):
        raise NotACalendarServer("This is no address of a server. Write one such as cal.example.com.")
    return text if urlsplit(text).path else text + "/"


def _first_answer(client: Client, start: str) -> tuple[str, Multistatus]:
    """The first place that knows who we are: what was typed, the well-known one, the root."""
    places = [start, urljoin(start, "/.well-known/caldav"), urljoin(start, "/")]
    if urlsplit(start).path == "/":
        places = [places[1], places[0]]
    refusal: ProviderError | None = None
    for place in dict.fromkeys(places):
        try:
            answer = client.ask("PROPFIND", place, propfind(_WHO), 0)
        except Refused as error:
            # Well-known addresses often lead astray; another place may still answer.
            refusal = refusal or error
            continue
        if answer.status == 403:
            refusal = refusal or _not_let_in(client)
            continue
        _check_password(client, answer)
        if answer.status in {429, 502, 503, 504}:
            client.multistatus(answer, "PROPFIND")
        found = _understood(answer)
        if found is not None and any(resource.properties for resource in found):
            return answer.url, found
    raise refusal or NotACalendarServer(
        f"{client.host} answers, but it is no CalDAV server. Is there another address for calendars?"
    )


def _check_password(client: Client, answer: Answer) -> None:
    if answer.status == 401:
        raise ReconnectNeeded(f"{client.host} does not take this user name and password.")
    if answer.status == 403:
        raise _not_let_in(client)


def _not_let_in(client: Client) -> ReconnectNeeded:
    return ReconnectNeeded(
        f"{client.host} does not let you in. Some servers want an app password here, "
        "and some keep their calendars at another address."
    )


def _understood(answer: Answer) -> Multistatus | None:
    try:
        return parse(answer.body) if answer.status == 207 else None
    except NotMultistatus:
        return None


def _ask(client: Client, url: str, properties: tuple[str, ...], depth: int = 0) -> Multistatus:
    answer = client.ask("PROPFIND", url, propfind(properties), depth)
    _check_password(client, answer)
    return client.multistatus(answer, "PROPFIND")


def _all_hrefs(found: Multistatus, name: str) -> list[str]:
    return list(dict.fromkeys(href for resource in found for href in resource.hrefs(name)))


def _principal(url: str, found: Multistatus) -> str:
    """The URL of who we are; an unauthenticated principal (RFC 5397 3) is nobody."""
    hrefs = _all_hrefs(found, f"{DAV}current-user-principal")
    return urljoin(url, hrefs[0]) if hrefs else ""


def _calendar_itself(url: str, found: Multistatus) -> list[str]:
    """A calendar's own address was typed, and the server knows no principals."""
    return [url] if any(resource.has(f"{DAV}resourcetype", f"{CALDAV}calendar") for resource in found) else []


def _addresses(found: Multistatus) -> tuple[str, ...]:
    """The owner's mail addresses; some servers (Radicale) only give a path here, which says nothing."""
    hrefs = _all_hrefs(found, f"{CALDAV}calendar-user-address-set")
    mails = {normalise_address(href) for href in hrefs if href.lower().startswith("mailto:")}
    return tuple(sorted(mail for mail in mails if "@" in mail))


def _schedules(client: Client, home: str) -> bool:
    """Whether the server mails guests itself (RFC 6638 2: a class in the DAV header)."""
    header = client.options(home).headers.get("dav", "")
    return "calendar-auto-schedule" in [name.strip().lower() for name in header.split(",")]


def _calendars(client: Client, home: str, endpoint: str) -> Iterator[RemoteCalendar]:
    for resource in _ask(client, home, _CALENDAR, depth=1):
        if not resource.has(f"{DAV}resourcetype", f"{CALDAV}calendar") or not _holds_events(resource):
            continue
        url = urljoin(home, resource.href)
        same_host = urlsplit(url).netloc == urlsplit(endpoint).netloc
        path = quirks.path_of(url)
        yield RemoteCalendar(
            remote_id=path if same_host else f"{urlsplit(url).scheme}://{urlsplit(url).netloc}{path}",
            name=resource.text(f"{DAV}displayname") or path.rstrip("/").rpartition("/")[2],
            writable=_writable(resource),
            color=quirks.color(resource.text(f"{APPLE}calendar-color")),
            zone=_zone(resource.text(f"{CALDAV}calendar-timezone")),
        )


def _holds_events(resource: Resource) -> bool:
    """Only calendars for VEVENT; a server that does not say takes all (RFC 4791 5.2.3)."""
    kinds = resource.properties.get(f"{CALDAV}supported-calendar-component-set")
    names = [str(comp.get("name", "")).upper() for comp in kinds.iter(f"{CALDAV}comp")] if kinds is not None else []
    return not names or "VEVENT" in names


def _writable(resource: Resource) -> bool:
    """From the privileges (RFC 3744 5.5); a server without them is asked by writing."""
    if f"{DAV}current-user-privilege-set" not in resource.properties:
        return True
    return any(resource.has(f"{DAV}current-user-privilege-set", privilege) for privilege in _WRITING)


def _zone(text: str) -> str:
    """The IANA zone of a calendar-timezone, a VCALENDAR with one VTIMEZONE; '' when it tells none."""
    for line in ics.unfold(text):
        if line.upper().startswith("TZID:"):
            return by_name(line[5:])
    return ""
