"""Google's event resource as far as a meeting needs it, and the events of one series kept together.

Sources: `Event` in the discovery document (calendar.v3.json). The raw payload of a remote object is
`{"event": …, "exceptions": {id: …}}`: the single event or the series' master as Google sent it, letter by
letter, and beside it its exceptions by their ids. `event` is null for an exception to which its owner was
invited without the rest of the series.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

FIELDS = (
    "id,etag,status,updated,iCalUID,recurringEventId,originalStartTime,recurrence,summary,description,location,"
    "start,end,organizer,attendees,attendeesOmitted,visibility,transparency,eventType,sequence,hangoutLink,"
    "conferenceData/entryPoints(entryPointType,uri),reminders,guestsCanModify,locked"
)
"""The part of an event that is read ("Performance tips": partial response)."""


class Moment(msgspec.Struct, rename="camel"):
    """`EventDateTime`: a date, or a time with an offset and perhaps the IANA name of its zone."""

    date: str = ""
    date_time: str = ""
    time_zone: str = ""


class Person(msgspec.Struct, rename="camel"):
    """`EventAttendee`, or an event's `organizer`."""

    email: str = ""
    display_name: str = ""
    response_status: str = "needsAction"
    optional: bool = False
    resource: bool = False
    own: bool = msgspec.field(name="self", default=False)


class EntryPoint(msgspec.Struct, rename="camel"):
    entry_point_type: str = ""
    uri: str = ""


class Conference(msgspec.Struct, rename="camel"):
    entry_points: list[EntryPoint] = []


class Reminder(msgspec.Struct):
    minutes: int = 0


class Reminders(msgspec.Struct, rename="camel"):
    use_default: bool = True
    overrides: list[Reminder] = []


class Resource(msgspec.Struct, rename="camel"):
    """`Event`. What it lacks is empty; of a tombstone only `id` is sure (of an exception its place too)."""

    id: str
    etag: str = ""
    status: str = "confirmed"
    updated: str = ""
    i_cal_uid: str = msgspec.field(name="iCalUID", default="")
    recurring_event_id: str = ""
    original_start_time: Moment | None = None
    recurrence: list[str] = []
    summary: str = ""
    description: str = ""
    location: str = ""
    start: Moment | None = None
    end: Moment | None = None
    organizer: Person | None = None
    attendees: list[Person] = []
    attendees_omitted: bool = False
    visibility: str = "default"
    transparency: str = "opaque"
    event_type: str = "default"
    sequence: int = 0
    hangout_link: str = ""
    conference_data: Conference | None = None
    reminders: Reminders | None = None
    guests_can_modify: bool = False
    locked: bool = False

    @property
    def cancelled(self) -> bool:
        return self.status == "cancelled"


class _Name(msgspec.Struct, rename="camel"):
    """What of a resource has to be right for it to be stored at all."""

    id: str
    etag: str = ""
    status: str = ""
    updated: str = ""
    recurring_event_id: str = ""


class _Bundle(msgspec.Struct):
    event: msgspec.Raw = msgspec.Raw(b"null")
    exceptions: dict[str, msgspec.Raw] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """One event resource as Google sent it. `series` is its master's id when it is an exception."""

    id: str
    etag: str
    text: str
    status: str = ""
    updated: str = ""
    series: str = ""

    @property
    def cancelled(self) -> bool:
        return self.status == "cancelled"

    @property
    def recurs(self) -> bool:
        """Whether it may be a series' master. Asked of the text, for most events are not and need no decoding."""
        return not self.series and '"recurrence"' in self.text

    def resource(self) -> Resource:
        """Decoded. Raises `msgspec.ValidationError` for one that is not as the document says."""
        return _resource.decode(self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """A series with its exceptions, or a single event (without any). `event` None: exceptions alone."""

    event: Part | None = None
    exceptions: Mapping[str, Part] = field(default_factory=dict)

    @property
    def raw(self) -> str:
        pairs = ",".join(f'"{name}":{part.text}' for name, part in sorted(self.exceptions.items()))
        return f'{{"event":{self.event.text if self.event else "null"},"exceptions":{{{pairs}}}}}'

    @property
    def etag(self) -> str:
        """Names this version of all its parts; of a single event it is Google's own."""
        if self.event is not None and not self.exceptions:
            return self.event.etag
        parts = [self.event] if self.event else []
        text = "\n".join(f"{part.id} {part.etag}" for part in (*parts, *sorted(self.exceptions.values(), key=_by_id)))
        return f"series-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _by_id(part: Part) -> str:
    return part.id


_name = msgspec.json.Decoder(_Name)
_resource = msgspec.json.Decoder(Resource)
_bundle = msgspec.json.Decoder(_Bundle)


def part_of(text: bytes | msgspec.Raw) -> Part | None:
    """A resource as it came. None for what has not even an id: there is nothing that could be kept of it."""
    raw = bytes(text)
    try:
        name = _name.decode(raw)
    except msgspec.ValidationError:
        return None
    return Part(name.id, name.etag, raw.decode(), name.status, name.updated, name.recurring_event_id)


def group_of(raw: str) -> Group:
    """The inverse of `Group.raw`. Raises `msgspec.MsgspecError` for anything else."""
    found = _bundle.decode(raw)
    event = part_of(found.event) if bytes(found.event) != b"null" else None
    parts = {name: part_of(text) for name, text in found.exceptions.items()}
    return Group(event, {name: part for name, part in parts.items() if part is not None})
