"""Calendars as people see them: a list of what comes, and each event's page, where it can be changed as on a phone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sandbox.google import pages, rendering, series, times
from sandbox.google.http import Request, Response, html, redirect
from sandbox.google.problems import Json, Problem
from sandbox.google.store import Calendar, Entry, Store, User

PATH = "/calendar/r"
EVENT_PATH = "/calendar/event"
SHOWN = 60
Call = Callable[..., Json]


class Agenda:
    """`call(address, method, body, **parameters)` is the API, as that user's own browser uses it."""

    def __init__(self, store: Store, call: Call) -> None:
        self._store = store
        self._call = call

    def answer(self, request: Request) -> Response:
        """The coming events in all calendars of `authuser`."""
        person = self._store.user_of(request.query.get("authuser", [""])[-1])
        if person is None:
            links = [_account(user) for user in self._store.users.values()]
            return html(pages.page("Calendars", *links))
        rows: list[str] = []
        for calendar in self._store.calendars.values():
            if calendar.owner == person.address and not calendar.deleted:
                rows += [f"<h2>{pages.safe(calendar.summary)}</h2>", *self._rows(person, calendar)]
        return html(pages.page(f"Calendars of {person.name}", pages.text(person.address), *rows))

    def event(self, request: Request) -> Response:
        """The page that `htmlLink` leads to: GET shows the event, POST changes or deletes it as its owner."""
        found = self._found(request)
        if found is None:
            return html(pages.page("Not found"), 404)
        calendar, entry = found
        if request.method != "POST":
            return self._page(calendar, entry)
        sent = {name: values[-1] for name, values in request.form.items()}
        try:
            self._change(calendar, entry, sent)
        except Problem as problem:
            return self._page(calendar, entry, problem.message, problem.code)
        return redirect(f"{EVENT_PATH}?eid={request.query['eid'][-1]}")

    def _rows(self, person: User, calendar: Calendar) -> list[str]:
        found = self._call(
            person.address, "events.list", calendarId=calendar.id, singleEvents=True, orderBy="startTime",
            timeMin=(self._store.clock.now() - timedelta(days=1)).isoformat(), maxResults=2500,
        )  # fmt: skip
        items = found.get("items", [])[:SHOWN]
        return [
            pages.link(f"{_when(item['start'])}  {item.get('summary', '(No title)')}", item["htmlLink"], "account")
            for item in items
        ] or [pages.text("Nothing comes.")]

    def _found(self, request: Request) -> tuple[Calendar, Entry] | None:
        name = request.query.get("eid", [""])[-1]
        try:
            event_id, _, calendar_id = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode().partition(" ")
            calendar = self._store.calendars[calendar_id]
            return calendar, series.lookup(calendar, event_id)
        except (ValueError, KeyError, Problem):
            return None

    def _page(self, calendar: Calendar, entry: Entry, problem: str = "", status: int = 200) -> Response:
        data = entry.data
        people = [f"{guest['email']} ({guest['responseStatus']})" for guest in data.get("attendees", ())]
        lines = [problem, f"In the calendar {calendar.summary} of {calendar.owner}"]
        lines += [f"Guests: {', '.join(people)}"] if people else []
        lines += ["; ".join(data["recurrence"])] if entry.is_series else []
        title = str(data.get("summary", "(No title)"))
        if entry.gone or "start" not in data:
            return html(pages.page(title, *map(pages.text, [*lines, "Cancelled"])), status)
        kind = "date" if "date" in data["start"] else "datetime-local"
        form = pages.form(
            f"{EVENT_PATH}?{urlencode({'eid': rendering.link_name(calendar, entry)})}",
            pages.field("Title", "summary", title),
            pages.field("Starts", "start", _wall(data["start"]), kind=kind),
            pages.field("Ends (the day after, for whole days)", "end", _wall(data["end"]), kind=kind),
            pages.field("Location", "location", data.get("location", "")),
            pages.button("Save and tell the guests", "do", "all"),
            pages.button("Save without telling", "do", "none"),
            pages.button("Delete and tell the guests", "do", "delete"),
        )
        return html(pages.page(title, *map(pages.text, lines), form), status)

    def _change(self, calendar: Calendar, entry: Entry, sent: dict[str, str]) -> None:
        where: dict[str, Any] = {"calendarId": calendar.id, "eventId": entry.id}
        if sent.get("do") == "delete":
            self._call(calendar.owner, "events.delete", **where, sendUpdates="all")
            return
        body: Json = {"summary": sent.get("summary", ""), "location": sent.get("location", "")}
        for name in ("start", "end"):
            body[name] = _time(sent.get(name, ""), entry.data[name])
        tell = "all" if sent.get("do") == "all" else "none"
        self._call(calendar.owner, "events.patch", body, **where, sendUpdates=tell)


def _account(user: User) -> str:
    return pages.link(f"{user.name} ({user.address})", f"{PATH}?{urlencode({'authuser': user.address})}", "account")


def _wall(value: Json) -> str:
    return str(value.get("date") or value["dateTime"][:16])


def _when(value: Json) -> str:
    if "date" in value:
        return f"{date.fromisoformat(value['date']):%a %d %b}"
    return f"{datetime.fromisoformat(value['dateTime']):%a %d %b %H:%M}"


def _time(text: str, now: Json) -> Json:
    """What was typed, in the zone that the event has. Raises `Problem` 400."""
    try:
        if "date" in now:
            return {"date": date.fromisoformat(text).isoformat()}
        wall = datetime.fromisoformat(text).replace(tzinfo=times.zone(now["timeZone"]))
    except ValueError as fault:
        raise Problem(400, "invalid", "That is no time.") from fault
    return {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": now["timeZone"]}
