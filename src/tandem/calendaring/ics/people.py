"""Organizer and attendees: RFC 5545 3.8.4.1 and 3.8.4.3, the participation status and who is a room."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from tandem.calendaring.event import Guest, Organizer, Response
from tandem.calendaring.ics.lines import Params, split
from tandem.calendaring.identity import normalise_address

# RFC 5321 4.5.3.1.3, and the width of every column that holds an address.
LONGEST_ADDRESS = 254

_RESPONSES: dict[str, Response] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}


def address_of(value: str, params: Params) -> str:
    """The normalised address of an attendee or organizer, or '' when it has none that can be used.

    iCloud and others name people by a path and give the address in EMAIL (an extension, now RFC 9073).
    """
    text = value.strip()
    if text[:7].lower() != "mailto:" and "@" in params.get("EMAIL", ""):
        text = params["EMAIL"]
    if "%" in text:
        text = unquote(text, errors="replace")
    address = normalise_address(text)
    return address if len(address) <= LONGEST_ADDRESS and "\n" not in address else ""


@lru_cache(maxsize=32768)
def read_guest(line: str) -> Guest | None:
    """The guest of an ATTENDEE line. The same people come again and again, hence the cache."""
    _, params, value = split(line)
    address = address_of(value, params)
    if not address:
        return None
    return Guest(
        address=address,
        name=_name(params, address),
        response=_RESPONSES.get(params.get("PARTSTAT", "").upper(), "needs-action"),
        optional=params.get("ROLE", "").upper() in {"OPT-PARTICIPANT", "NON-PARTICIPANT"},
        resource=params.get("CUTYPE", "").upper() in {"ROOM", "RESOURCE"},
    )


def organizer(value: str, params: Params) -> Organizer | None:
    """The organizer, or None when the calendar gives no address for them."""
    address = address_of(value, params)
    return Organizer(address, _name(params, address)) if address else None


def _name(params: Params, address: str) -> str:
    """The display name; a repeated address is none."""
    name = " ".join(params.get("CN", "").split())
    return "" if normalise_address(name) == address else name


def guests(lines: Iterable[str]) -> tuple[Guest, ...]:
    """Each address once, ordered. Of two lines with one address the one that answers counts."""
    found: dict[str, Guest] = {}
    for line in lines:
        guest = read_guest(line)
        if guest is not None:
            known = found.get(guest.address)
            if known is None or known.response == "needs-action":
                found[guest.address] = guest
    return tuple(found[address] for address in sorted(found))
