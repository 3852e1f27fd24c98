"""The Calendar API itself: from a request to the method it names, and to an answer that the document allows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.google import clock, faults, partial, rendering, rights
from sandbox.google.behaviour import Behaviour
from sandbox.google.calendars import Calendars
from sandbox.google.events import Act, Events
from sandbox.google.http import Request, Response, as_json
from sandbox.google.listing import Lists
from sandbox.google.log import Log, Row
from sandbox.google.oauth import PREFIX, OAuth
from sandbox.google.problems import (
    AnswerLost,
    Json,
    NotModified,
    Problem,
    insufficient_scope,
    invalid,
    not_found,
    required,
)
from sandbox.google.push import Push
from sandbox.google.quotas import Quotas
from sandbox.google.store import Calendar, Entry, Store, User
from sandbox.google.validate import Discovery, Method, Violation

BASE = "/calendar/v3/"
_NARROW = frozenset(
    PREFIX + "calendar." + name
    for name in (
        "app.created", "events.freebusy", "events.owned", "events.owned.readonly", "events.public.readonly",
    )
)  # fmt: skip
"""Scopes that open a part only of what they are listed for. The sandbox knows no parts, so they open nothing."""


@dataclass(slots=True)
class Call:
    """One request on its way through: who, which method, the typed parameters, the body."""

    user: User
    method: Method
    path: dict[str, str]
    parameters: Json
    body: Json
    request: Request
    row: Row

    def act(self, store: Store) -> Act:
        tell = self.parameters.get("sendUpdates") or ("all" if self.parameters.get("sendNotifications") else "none")
        conference = self.parameters.get("conferenceDataVersion", 0) == 1
        return Act(self.user, store.clock.now(), self.row.number, tell, conference)


@dataclass(slots=True)
class Parts:
    """What the API is made of."""

    store: Store
    discovery: Discovery
    behaviour: Behaviour
    oauth: OAuth
    events: Events
    lists: Lists
    calendars: Calendars
    push: Push
    quotas: Quotas
    faults: faults.Faults
    log: Log


class Api:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.lock = threading.RLock()
        self.violations: list[str] = []
        """Answers that the document does not allow: faults of the sandbox itself."""
        self._handlers: dict[str, Callable[[Call], Response]] = {
            "calendarList.list": lambda call: self._give(call, parts.calendars.page(call.user, call.parameters)),
            "calendarList.get": lambda call: self._give(call, parts.calendars.entry(call.user, self._id(call))),
            "calendarList.insert": self._put_entry,
            "calendarList.patch": self._put_entry,
            "calendarList.update": self._put_entry,
            "calendarList.delete": self._remove_entry,
            "calendars.get": lambda call: self._give(call, parts.calendars.show(self._calendar(call))),
            "calendars.insert": lambda call: self._give(call, parts.calendars.insert(call.user, call.body)),
            "calendars.patch": self._change_calendar,
            "calendars.update": self._change_calendar,
            "calendars.delete": self._delete_calendar,
            "events.list": self._list,
            "events.instances": self._instances,
            "events.get": self._get,
            "events.insert": lambda call: self._write(call, parts.events.insert),
            "events.import": lambda call: self._write(call, parts.events.import_),
            "events.patch": lambda call: self._edit(call, parts.events.patch),
            "events.update": lambda call: self._edit(call, parts.events.update),
            "events.delete": self._delete,
            "events.move": self._move,
            "events.watch": self._watch,
            "channels.stop": self._stop,
        }

    def handle(self, request: Request, *, inside: bool = False) -> Response:
        """Answer a request below `BASE`. Raises `AnswerLost` where a fault asks for it."""
        parts = self.parts
        row = Row(0, clock.stamp(parts.store.clock.now()), "", "", request.method, request.path, request.query)
        row.if_match, row.if_none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
        row.inside = inside
        with self.lock:
            parts.log.add(row)
        try:
            response = self._answered(request, row)
        except Problem as problem:
            row.status, row.reason = problem.code, problem.body()["error"]["errors"][0]["reason"]
            headers = (
                [("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/"')] if problem.code == 401 else []
            )
            return as_json(problem.body(), problem.code, headers)
        except NotModified as same:
            response = Response(304, headers=[("ETag", same.etag)])
        except AnswerLost:
            row.reason = "answerLost"
            raise
        row.status = response.status
        return response

    def _answered(self, request: Request, row: Row) -> Response:
        method, path = self._route(request)
        row.method = method.id
        user, scopes = self.parts.oauth.user_of(request.bearer)
        row.user = user.address
        fault = None if row.inside else self.parts.faults.due(method.id, user.address)
        faults.before(fault)
        with self.lock:
            if not row.inside:
                self.parts.quotas.take(user.address, self.parts.store.clock.now())
            if not scopes & (method.scopes - _NARROW):
                raise insufficient_scope()
            response = self._handlers[method.id](self._call(request, method, path, user, row))
        faults.after(fault)
        return response

    def _route(self, request: Request) -> tuple[Method, dict[str, str]]:
        rest = request.path.removeprefix(BASE)
        for method in self.parts.discovery.methods:
            if method.verb == request.method and (found := method.pattern.fullmatch(rest)):
                if method.id not in self._handlers:
                    raise Problem(501, "notImplemented", f"The sandbox does not have {method.id}.")
                return method, found.groupdict()
        raise not_found()

    def _call(self, request: Request, method: Method, path: dict[str, str], user: User, row: Row) -> Call:
        parameters = self.parts.discovery.parameters(method, request.query)
        body: Json = {}
        if method.request:
            row.body = body = self.parts.discovery.request(method, _parsed(request))
        elif request.body:
            raise invalid("This method takes no body.", reason="badRequest")
        mute = "sendUpdates" in method.parameters and "sendUpdates" not in parameters
        if mute and self.parts.behaviour.require_send_updates:
            raise required("parameter: sendUpdates")
        if row.writes and "calendarId" in path and not row.inside:
            self.parts.quotas.take_write(path["calendarId"], self.parts.store.clock.now())
        return Call(user, method, path, parameters, body, request, row)

    def _id(self, call: Call) -> str:
        return call.path["calendarId"]

    def _calendar(self, call: Call) -> Calendar:
        return self.parts.store.calendar(call.path["calendarId"], call.user)

    # Calendars

    def _put_entry(self, call: Call) -> Response:
        name = call.path.get("calendarId") or call.body.get("id")
        if not name:
            raise required("calendar id")
        return self._give(call, self.parts.calendars.put_entry(call.user, name, call.body))

    def _remove_entry(self, call: Call) -> Response:
        self.parts.calendars.remove_entry(call.user, self._id(call))
        return Response(204)

    def _change_calendar(self, call: Call) -> Response:
        calendar = self._calendar(call)
        return self._give(call, self.parts.calendars.change(call.user, calendar, call.body))

    def _delete_calendar(self, call: Call) -> Response:
        self.parts.calendars.delete(call.user, self._calendar(call))
        return Response(204)

    # Events

    def _list(self, call: Call) -> Response:
        calendar = self._calendar(call)
        _not_modified(call, calendar.etag)
        return self._collection(call, calendar, self.parts.lists.page(calendar, call.parameters))

    def _instances(self, call: Call) -> Response:
        calendar = self._calendar(call)
        master = self.parts.events.read(calendar, call.path["eventId"])
        if not master.is_series:
            raise invalid("The event does not recur.")
        return self._collection(call, calendar, self.parts.lists.instances(calendar, master, call.parameters))

    def _get(self, call: Call) -> Response:
        calendar = self._calendar(call)
        entry = self.parts.events.read(calendar, call.path["eventId"])
        _not_modified(call, entry.etag)
        return self._event(call, calendar, entry)

    def _write(self, call: Call, method: Callable[[Act, Calendar, Json], Entry]) -> Response:
        calendar = self._calendar(call)
        return self._event(call, calendar, method(call.act(self.parts.store), calendar, call.body))

    def _edit(self, call: Call, method: Callable[[Act, Calendar, str, Json, str | None], Entry]) -> Response:
        calendar, act = self._calendar(call), call.act(self.parts.store)
        entry = method(act, calendar, call.path["eventId"], call.body, call.row.if_match)
        return self._event(call, calendar, entry)

    def _delete(self, call: Call) -> Response:
        act = call.act(self.parts.store)
        self.parts.events.delete(act, self._calendar(call), call.path["eventId"], call.row.if_match)
        return Response(204)

    def _move(self, call: Call) -> Response:
        act, calendar = call.act(self.parts.store), self._calendar(call)
        target = self.parts.store.calendar(call.parameters["destination"], call.user)
        return self._event(call, target, self.parts.events.move(act, calendar, call.path["eventId"], target))

    def _watch(self, call: Call) -> Response:
        calendar = self._calendar(call)
        uri = f"{self.parts.store.site}{call.request.path.removesuffix('/watch')}?alt=json"
        return self._give(call, self.parts.push.watch(call.user, calendar, uri, call.body).as_json())

    def _stop(self, call: Call) -> Response:
        self.parts.push.stop(call.body)
        return Response(204)

    # Answers

    def _look(self, call: Call, calendar: Calendar, *, details: bool) -> rendering.Look:
        return rendering.Look(
            calendar.roles[call.user.address],
            call.parameters.get("timeZone", calendar.zone),
            call.parameters.get("maxAttendees"),
            call.user.addresses,
            details,
            call.user.address,
        )

    def _event(self, call: Call, calendar: Calendar, entry: Entry) -> Response:
        body = rendering.event(self.parts.store, calendar, entry, self._look(call, calendar, details=True))
        return self._give(call, body)

    def _give(self, call: Call, body: Json) -> Response:
        self._check(call.method.response, body)
        etag = body.get("etag")
        return as_json(_selected(call, body), headers=[("ETag", etag)] if etag else [])

    def _check(self, schema: str, body: Any) -> None:
        try:
            self.parts.discovery.check(schema, body)
        except Violation as fault:
            self.violations.append(str(fault))
            raise Problem(500, "sandboxViolation", f"The sandbox would say what Google cannot: {fault}") from fault

    def _collection(self, call: Call, calendar: Calendar, found: tuple[list[Entry], Json]) -> Response:
        """A page. Its items are rendered, checked and encoded once for each version of an event."""
        entries, tokens = found
        role = calendar.roles[call.user.address]
        last = next(reversed(calendar.entries.values()), None)
        updated = last.data["updated"] if last else clock.stamp(self.parts.store.clock.now())
        body: Json = {"kind": "calendar#events", "etag": calendar.etag, "summary": calendar.summary, "updated": updated}
        body |= {"description": calendar.description, "timeZone": call.parameters.get("timeZone", calendar.zone)}
        body |= {"accessRole": role, "defaultReminders": [{"method": "popup", "minutes": 10}], **tokens}
        self._check("Events", body)
        wanted = _mask(call)
        items = wanted.get("items", wanted.get("*")) if wanted else {}
        text = json.dumps(partial.apply(wanted, body), ensure_ascii=False, separators=(",", ":"))
        if items is not None:
            look = self._look(call, calendar, details=False)
            rows = ",".join(
                self._item(calendar, entry, look, items, call.parameters.get("fields", "")) for entry in entries
            )
            text = f'{text[:-1]}{"," if len(text) > 2 else ""}"items":[{rows}]}}'
        return Response(200, text.encode(), headers=[("ETag", calendar.etag)])

    def _item(self, calendar: Calendar, entry: Entry, look: rendering.Look, wanted: partial.Mask, fields: str) -> str:
        parts = self.parts
        if entry.gone and parts.behaviour.details_of_deleted and rights.is_organizer(parts.store, calendar, entry.data):
            look = replace(look, details=True)
        key = (look, fields)
        found = entry.cache.get(key)
        if found is None:
            body = rendering.event(parts.store, calendar, entry, look)
            self._check("Event", body)
            found = json.dumps(partial.apply(wanted, body), ensure_ascii=False, separators=(",", ":"))
            entry.cache[key] = found
        return found


def _parsed(request: Request) -> Any:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise Problem(400, "badContent", "Unsupported content with type: " + request.headers.get("content-type", ""))
    try:
        return json.loads(request.body)
    except ValueError as fault:
        raise invalid("Parse Error", reason="parseError") from fault


def _not_modified(call: Call, etag: str) -> None:
    wanted = call.row.if_none_match
    if wanted is not None and (wanted == "*" or etag in {part.strip() for part in wanted.split(",")}):
        raise NotModified(etag)


def _mask(call: Call) -> partial.Mask:
    return partial.mask(call.parameters["fields"]) if "fields" in call.parameters else {}


def _selected(call: Call, body: Json) -> Json:
    selected: Json = partial.apply(_mask(call), body)
    return selected
