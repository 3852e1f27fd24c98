"""The sample's Google accounts: the team, one more of Alice's own, and the meetings of `sandbox.events` in them.

The first calendar of a teammate is their primary one; others stay secondary. A meeting of two teammates is stored
once, by its organizer, and reaches the other as invitations do. Customers have no account here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import icalendar

from sandbox.events import Resource
from sandbox.google import GoogleSandbox
from sandbox.google.problems import Json
from sandbox.team import TEAM, TIME_ZONE

PRIVATE = ("alice.moreau@mailbox.example", "Alice Moreau, private")
"""The account that a browser offers first, and that meetings with customers must never land in."""

_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}


def people(google: GoogleSandbox) -> None:
    """The accounts, with their calendars, still empty."""
    google.store.add_user(*PRIVATE, TIME_ZONE)
    for mate in TEAM:
        user = google.store.add_user(mate.email, mate.name, TIME_ZONE)
        for _, name, _ in mate.calendars[1:]:
            google.store.add_calendar(user, name, TIME_ZONE)


def meetings(google: GoogleSandbox, resources: Sequence[Resource]) -> None:
    """Put every resource into its calendar, telling nobody."""
    ids = _calendars(google)
    logins = {mate.email: mate.login for mate in TEAM}
    for resource in resources:
        login = resource.path.partition("/")[0]
        master, *exceptions = _events(resource.text)
        organizer = _address(str(master.get("ORGANIZER", "")))
        if logins.get(organizer, login) != login:
            continue  # it comes from the organizer's calendar
        owner = next(mate.email for mate in TEAM if mate.login == login)
        calendar = ids[resource.path]
        body = event(master)
        if organizer and organizer not in logins:
            # from outside, by mail
            google.plant(calendar, body | {"organizer": {"email": organizer}, "creator": {"email": organizer}})
            continue
        made = google.call(owner, "events.insert", body, calendarId=calendar, sendUpdates="none")
        _except(google, owner, calendar, made["id"], master, exceptions)


def event(component: icalendar.Event) -> Json:
    """A VEVENT as an event resource of the API."""
    body: Json = {
        "iCalUID": str(component["UID"]),
        "summary": str(component["SUMMARY"]),
        "start": _time(component.start),
        "end": _time(component.end),
        "status": str(component.get("STATUS", "confirmed")).lower(),
    }
    for name, key in (("LOCATION", "location"), ("DESCRIPTION", "description")):
        if name in component:
            body[key] = str(component[name])
    if "CLASS" in component:
        body["visibility"] = str(component["CLASS"]).lower()
    if component.rrules:
        body["recurrence"] = [f"RRULE:{rule.to_ical().decode()}" for rule in component.rrules]
    guests = component.get("ATTENDEE", [])
    if guests:
        body["attendees"] = [_guest(guest) for guest in (guests if isinstance(guests, list) else [guests])]
    private = {name.lower(): str(value) for name, value in component.items() if name.startswith("X-")}
    return body | ({"extendedProperties": {"private": private}} if private else {})


def _except(
    google: GoogleSandbox,
    owner: str,
    calendar: str,
    series: str,
    master: icalendar.Event,
    exceptions: Sequence[icalendar.Event],
) -> None:
    """Skip what EXDATE names, and change what has a RECURRENCE-ID: exceptions of their own, as Google keeps them."""
    where: dict[str, Any] = {"calendarId": calendar, "sendUpdates": "none"}
    for skipped in master.exdates:
        google.call(owner, "events.delete", eventId=_instance(series, skipped), **where)
    for each in exceptions:
        changed = {name: value for name, value in event(each).items() if name != "iCalUID"}
        original: datetime | date = each.decoded("RECURRENCE-ID")
        google.call(owner, "events.patch", changed, eventId=_instance(series, original), **where)


def _calendars(google: GoogleSandbox) -> dict[str, str]:
    """`login/path` of each calendar, and its id here."""
    found = {}
    for mate in TEAM:
        for number, (path, name, _) in enumerate(mate.calendars):
            found[f"{mate.login}/{path}"] = mate.email if number == 0 else _secondary(google, mate.email, name)
    return found


def _secondary(google: GoogleSandbox, owner: str, name: str) -> str:
    return next(each.id for each in google.store.calendars.values() if (each.owner, each.summary) == (owner, name))


def _events(text: str) -> list[icalendar.Event]:
    """The VEVENTs of a resource, the master first."""
    found = [each for each in icalendar.Calendar.from_ical(text).walk("VEVENT") if isinstance(each, icalendar.Event)]
    return sorted(found, key=lambda each: "RECURRENCE-ID" in each)


def _time(value: datetime | date) -> Json:
    """A day, or wall time with the name of its zone."""
    if not isinstance(value, datetime):
        return {"date": value.isoformat()}
    return {"dateTime": value.replace(tzinfo=None).isoformat(), "timeZone": str(value.tzinfo)}


def _guest(person: icalendar.vCalAddress) -> Json:
    answer = _ANSWERS.get(str(person.params.get("PARTSTAT", "")), "needsAction")
    guest = {"email": _address(person), "responseStatus": answer}
    return guest | ({"displayName": str(person.params["CN"])} if "CN" in person.params else {})


def _address(person: str) -> str:
    return person.removeprefix("mailto:")


def _instance(series: str, original: datetime | date) -> str:
    moment = original.astimezone(UTC) if isinstance(original, datetime) else original
    return f"{series}_{moment.strftime('%Y%m%dT%H%M%SZ' if isinstance(original, datetime) else '%Y%m%d')}"
