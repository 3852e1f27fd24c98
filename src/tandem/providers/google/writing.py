"""Writing to a calendar: inserts, patches and deletes, each on condition and each saying whom Google may mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from tandem.calendaring import fields
from tandem.calendaring.event import Event
from tandem.calendaring.fields import Value
from tandem.calendaring.ics import recurrence
from tandem.calendaring.ics.lines import Unreadable
from tandem.calendaring.identity import normalise_address, original_start
from tandem.calendaring.plan import occurrence_of
from tandem.calendaring.provider import Changed, Edit, NotFound, Refused, RemovedSince, TryLater
from tandem.providers.google import decode, encode
from tandem.providers.google.client import TRIES, Client, Params, segment
from tandem.providers.google.reading import ONE, Reader, part_in, path_of
from tandem.providers.google.resources import Group, Part

_OF_THE_SERIES = frozenset({"recurrence", "organizer"})
"""What no occurrence has of its own; who organizes them is Google's word for all."""


class Writer:
    """Writes to the calendars of one account, whose address is `account`. `reader` hears of what was written."""

    def __init__(self, client: Client, reader: Reader, *, account: str, default_zone: str) -> None:
        self._client = client
        self._reader = reader
        self._account = account
        self._default_zone = default_zone

    def create(self, calendar: str, name: str, events: Sequence[Event], *, silent: bool) -> Group:
        """Under an id of ours: 409 says that it is there, or was, for ids of deleted events stay taken.

        Google does not promise to notice ("Events: insert").
        Where it did not, what it made instead is taken away at once.
        """
        body = encode.insert_body(events[0], name)
        try:
            answer = self._client.write("POST", f"calendars/{segment(calendar)}/events", _updates(silent=silent), body)
        except Changed:
            there = self._reader.one(calendar, name)
            if there is not None and there.cancelled:
                raise RemovedSince("It was made, and then removed from Google Calendar.") from None
            raise
        made = part_in(answer)
        if made.id != name:
            self._take_away(calendar, made, silent=silent)
            raise Changed("There is an event of this name already.")
        self._reader.note_written(made)
        group = Group(made)
        for event in events[1:]:
            changes = fields.diff(self._occurrence(group, event.recurrence_id), event)
            values = {name: becomes for name, (_, becomes) in changes.items() if name not in _OF_THE_SERIES}
            group = self._change(calendar, group, event.recurrence_id, values, silent=silent)
        return group

    def _take_away(self, calendar: str, double: Part, *, silent: bool) -> None:
        """What an insert made under another id than ours; whoever was mailed of it hears that it is off.

        Tried until it is gone, for no other look would know it.
        """
        for attempt in range(TRIES):
            try:
                self._client.write("DELETE", path_of(calendar, double.id), _mail(silent=silent), etag=double.etag)
                return
            except NotFound:
                return
            except TryLater as error:
                if attempt == TRIES - 1:
                    raise
                self._client.wait(attempt, error)

    def update(self, calendar: str, group: Group, edit: Edit, *, silent: bool) -> Group:
        """One PATCH for each event. Another's change in between stops it there.

        What had gone out by then shows when the object is read and planned again. Occurrences come before their
        series, but those that are to follow it after: Google takes them along by itself where they have no value
        of their own, and guests hear of the series once.
        """
        series = edit.get("", {})
        following = {name for name, values in edit.items() if name and _follows(values, series)}
        try:
            for recurrence_id in sorted(edit.keys() - following, key=lambda name: (not name, name)):
                group = self._change(calendar, group, recurrence_id, edit[recurrence_id], silent=silent)
            for recurrence_id in sorted(following):
                group = self._let_follow(calendar, group, recurrence_id, edit[recurrence_id], silent=silent)
        except NotFound as error:
            raise Changed("This event was removed from the calendar in the meantime.") from error
        return group

    def delete(self, calendar: str, group: Group, *, silent: bool) -> None:
        """The event, or the series with all of its exceptions. What is gone already is fine."""
        for part in [group.event] if group.event is not None else list(group.exceptions.values()):
            try:
                self._client.write("DELETE", path_of(calendar, part.id), _mail(silent=silent), etag=part.etag)
            except NotFound:
                continue
            except Changed:
                # What somebody deleted before us has another etag too.
                found = self._reader.one(calendar, part.id)
                if found is not None and not found.cancelled:
                    raise

    def _change(
        self, calendar: str, group: Group, recurrence_id: str, values: Mapping[str, Value], *, silent: bool
    ) -> Group:
        if recurrence_id:
            return self._change_occurrence(calendar, group, recurrence_id, values, silent=silent)
        if group.event is None:
            raise Refused("The calendar has only one occurrence of this series, so the series can't be changed there.")
        exceptions = group.exceptions
        if "recurrence" in values:
            exceptions, values = self._with_slots(calendar, group, values, silent=silent)
        changed = self._patch(calendar, group.event, values, silent=silent)
        return Group(changed, exceptions if changed.recurs else {})

    def _change_occurrence(
        self, calendar: str, group: Group, recurrence_id: str, values: Mapping[str, Value], *, silent: bool
    ) -> Group:
        part = decode.exception_at(group, recurrence_id) or self._instance(calendar, group, recurrence_id, values)
        if values.get("status") == "cancelled":
            changed = self._take_out(calendar, part, silent=silent)
        else:
            changed = self._patch(calendar, part, values, silent=silent)
        return replace(group, exceptions={**group.exceptions, changed.id: changed})

    def _let_follow(
        self, calendar: str, group: Group, recurrence_id: str, values: Mapping[str, Value], *, silent: bool
    ) -> Group:
        """An exception after the change of its series: what it did not take over is written, and mails nobody."""
        part = decode.exception_at(group, recurrence_id)
        if part is None:
            return self._change_occurrence(calendar, group, recurrence_id, values, silent=silent)
        fresh = self._reader.one(calendar, part.id)
        if fresh is None or fresh.cancelled:
            raise Changed("This occurrence was removed from the calendar in the meantime.")
        before, found = self._event(part), self._event(fresh)
        left = {}
        for name, value in values.items():
            row = fields.field(name)
            if row.same(row.read(found), value):
                continue
            if not row.same(row.read(found), row.read(before)):
                raise Changed("This occurrence was changed in the calendar in the meantime.")
            left[name] = value
        changed = self._patch(calendar, fresh, left, silent=True) if left else fresh
        return replace(group, exceptions={**group.exceptions, changed.id: changed})

    def _event(self, part: Part) -> Event:
        try:
            return decode.event_of(part.resource(), self._default_zone)
        except (Unreadable, msgspec.ValidationError) as error:
            raise Refused("What the calendar says of this event can't be read.") from error

    def _instance(self, calendar: str, group: Group, recurrence_id: str, values: Mapping[str, Value]) -> Part:
        """An occurrence that has no exception yet, as Google has it now.

        Its etag says nothing of what the person saw, so its values have to be those that they saw: the ones that
        they change, or all when they take it out.
        """
        expected = self._occurrence(group, recurrence_id)
        assert group.event is not None
        part = self._reader.instance(calendar, group.event.id, _rfc3339(recurrence_id))
        if part is None:
            raise Changed("This occurrence is no longer part of the series.")
        found = self._event(part)
        names = fields.diff(expected, found) if values.get("status") == "cancelled" else values
        for name in names:
            row = fields.field(name)
            if not row.same(row.read(expected), row.read(found)):
                raise Changed("This occurrence was changed in the calendar in the meantime.")
        return part

    def _occurrence(self, group: Group, recurrence_id: str) -> Event:
        """What the master, as it was read, says of one slot. Raises `Refused` when it has no such slot."""
        found = occurrence_of(self._event(group.event), recurrence_id) if group.event is not None else None
        if found is None:
            raise Refused("This occurrence is no longer part of the series.")
        return found

    def _take_out(self, calendar: str, part: Part, *, silent: bool) -> Part:
        """Cancel one occurrence. What then stands there is read back: a cancelled exception."""
        self._client.write("DELETE", path_of(calendar, part.id), _mail(silent=silent), etag=part.etag)
        found = self._reader.one(calendar, part.id)
        if found is None:
            raise NotFound("This occurrence is no longer in Google Calendar.")
        self._reader.note_written(found)
        return found

    def _with_slots(
        self, calendar: str, group: Group, values: Mapping[str, Value], *, silent: bool
    ) -> tuple[Mapping[str, Part], Mapping[str, Value]]:
        """Occurrences that exceptions of their own took out are not the rule's to name.

        One that is to take place again has its exception confirmed.
        """
        taken_out = {recurrence.line("EXDATE", slot): part for slot, part in decode.cancelled_slots(group).items()}
        exceptions = dict(group.exceptions)
        for line, part in taken_out.items():
            if line not in values["recurrence"]:
                confirmed = self._send(calendar, part, {"status": "confirmed"}, silent=silent)
                exceptions[confirmed.id] = confirmed
        lines = [line for line in values["recurrence"] if line not in taken_out]
        return exceptions, {**values, "recurrence": lines}

    def _patch(self, calendar: str, part: Part, values: Mapping[str, Value], *, silent: bool) -> Part:
        original: dict[str, Any] = msgspec.json.decode(part.text)
        own = frozenset({self._account, normalise_address(calendar)})
        body = encode.patch_body(values, original, own=own)
        return self._send(calendar, part, body, silent=silent) if body else part

    def _send(self, calendar: str, part: Part, body: encode.Body, *, silent: bool) -> Part:
        answer = self._client.write("PATCH", path_of(calendar, part.id), _updates(silent=silent), body, etag=part.etag)
        changed = part_in(answer)
        self._reader.note_written(changed)
        return changed


def _follows(values: Mapping[str, Value], series: Mapping[str, Value]) -> bool:
    """Whether an occurrence is to say in these fields what its series is to say."""
    return all(name in series and fields.field(name).same(series[name], value) for name, value in values.items())


def _updates(*, silent: bool) -> Params:
    return {**ONE, **_mail(silent=silent)}


def _mail(*, silent: bool) -> Params:
    """Said on every write: without it Google decides whom it mails."""
    return {"sendUpdates": "none" if silent else "all"}


def _rfc3339(recurrence_id: str) -> str:
    """A slot as `originalStart` names it: a date, or an instant."""
    return original_start(recurrence_id).isoformat().replace("+00:00", "Z")
