"""The address of Google Calendar's own create form, filled with an event. Pure.

The form is widely used and published nowhere: `action=TEMPLATE` with `text, dates, ctz, details, location,
add, recur, src`, and `authuser`, which picks among the accounts that the browser is signed in to.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from tandem.calendaring.event import Event, When

SITE = "https://calendar.google.com"
PATH = "/calendar/render"
LONGEST = 6000
"""Browsers and servers take somewhat more; what is longer is cut from the notes, never from the guests."""
LONGEST_TEXT, LONGEST_PLACE = 1500, 1000
CUT = "…"


def template_link(event: Event, *, authuser: str, calendar_id: str = "", site: str = "") -> str:
    """The form's address with what `event` says, in the account `authuser` and its calendar `calendar_id`.

    `site` is the base address of a stand-in, empty for Google. Guests are in it without rooms; what else
    the event says (visibility, reminders, moved occurrences) has no place in the form.
    Raises `ValueError` for a `site` that is not http(s).
    """
    values = {"action": "TEMPLATE", "text": _cut(event.title, LONGEST_TEXT)}
    if event.when is not None:
        values["dates"] = _dates(event.when)
        if event.when.zone:
            values["ctz"] = event.when.zone
    values["location"] = _cut(event.location, LONGEST_PLACE)
    values["add"] = ",".join(guest.address for guest in event.guests if not guest.resource)
    values["recur"] = next((line for line in event.recurrence if line.upper().startswith("RRULE:")), "")
    values |= {"src": calendar_id, "authuser": authuser}
    address = f"{_base(site)}{PATH}?{_query(values)}"
    details = _cut(event.description, LONGEST - len(address) - len("&details="))
    return f"{address}&{_query({'details': details})}" if details else address


def _base(site: str) -> str:
    base = (site or SITE).rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("a calendar's site begins with https:// or http://")
    return base


def _query(values: dict[str, str]) -> str:
    kept = {name: value for name, value in values.items() if value}
    return urlencode(kept, quote_via=quote, safe="", errors="replace")


def _dates(when: When) -> str:
    """`20260105T100000/20260105T110000` as wall times beside `ctz`, or `20260105/20260106`, the end exclusive."""
    return "/".join(moment.replace("-", "").replace(":", "") for moment in (when.start, when.end))


def _cut(text: str, room: int) -> str:
    """As much of `text` as `room` characters of an address take, with dots where something is missing."""
    if len(quote(text, safe="", errors="replace")) <= room:
        return text
    left, kept = room - len(quote(CUT, safe="")), 0
    for character in text:
        left -= len(quote(character, safe="", errors="replace"))
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + CUT if kept else ""
