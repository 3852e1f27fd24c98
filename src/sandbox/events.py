"""The sample's meetings, relative to today, as iCalendar text: what other people's programs would have stored.

Written with `icalendar`, not with Tandem's own code, so that the sample is a stranger's work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar

from sandbox.customers import PEOPLE
from sandbox.team import ALICE, BOB, Teammate

PARIS, NEW_YORK, TOKYO = "Europe/Paris", "America/New_York", "Asia/Tokyo"
NAMES = {ALICE.email: ALICE.name, BOB.email: BOB.name} | {
    email: person.name for person in PEOPLE for email in person.emails
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of a calendar: `path` is `user/calendar`, `text` a whole VCALENDAR."""

    path: str
    name: str
    text: str


def resources(today: date) -> list[Resource]:
    """Every event of alice's and bob's calendars, for a team whose today is `today`."""
    made: list[Resource] = []
    for build in (_past, _series, _this_week, _whole_days, _zones, _ahead, _private, _shared, _bobs):
        made.extend(build(_Days(today)))
    return made


@dataclass(frozen=True, slots=True)
class _Days:
    """Working days around today, so that a meeting never falls on a Sunday by accident."""

    today: date

    def work(self, offset: int) -> date:
        """The day `offset` days from today, or the Monday after it where that is a weekend."""
        day = self.today + timedelta(days=offset)
        return day + timedelta(days=(7 - day.weekday()) % 7) if day.weekday() > 4 else day

    def weekday(self, number: int, weeks: int = 0) -> date:
        """Monday (0) to Sunday (6) of the week `weeks` from this one."""
        return self.today - timedelta(days=self.today.weekday()) + timedelta(days=number, weeks=weeks)

    def first_monday(self) -> date:
        """The first Monday of last month."""
        first = (self.today.replace(day=1) - timedelta(days=1)).replace(day=1)
        return first + timedelta(days=-first.weekday() % 7)


def _at(day: date, clock: str, zone: str = PARIS) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))


def _event(
    uid: str,
    title: str,
    start: datetime | date,
    length: timedelta,
    *,
    organizer: Teammate | str | None = None,
    guests: Sequence[str] = (),
    place: str = "",
    text: str = "",
    rrule: str = "",
    status: str = "",
    extra: dict[str, str] | None = None,
) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{uid}@sample.northwind.example")
    event.add("dtstamp", datetime(2025, 1, 6, 9, 0, tzinfo=UTC))
    event.add("summary", title)
    event.add("dtstart", start)
    event.add("dtend", start + length)
    for name, value in (("location", place), ("description", text), ("status", status)):
        if value:
            event.add(name, value)
    if rrule:
        event.add("rrule", icalendar.vRecur.from_ical(rrule))
    if organizer is not None:
        _invite(event, organizer.email if isinstance(organizer, Teammate) else organizer, guests)
    for name, value in (extra or {}).items():
        event.add(name, value)
    return event


def _invite(event: icalendar.Event, organizer: str, guests: Sequence[str]) -> None:
    event.add("organizer", _person(organizer, {}))
    for address in (organizer, *guests):
        answer = "ACCEPTED" if address == organizer or len(address) % 3 else "NEEDS-ACTION"
        event.add("attendee", _person(address, {"PARTSTAT": answer, "ROLE": "REQ-PARTICIPANT"}))


def _person(address: str, parameters: dict[str, str]) -> icalendar.vCalAddress:
    person = icalendar.vCalAddress(f"mailto:{address}")
    if address in NAMES:
        person.params["CN"] = NAMES[address]
    person.params.update(parameters)
    return person


def _file(path: str, name: str, *events: icalendar.Event) -> Resource:
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Northwind sample//EN")
    calendar.add("version", "2.0")
    for event in events:
        calendar.add_component(event)
    calendar.add_missing_timezones(first_date=date(2025, 1, 1))
    return Resource(path, f"{name}.ics", calendar.to_ical().decode())


CLIENTS, PERSONAL, WORK = "alice/client-meetings", "alice/personal", "bob/work"
HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)

# (days from today, Paris time, minutes, title, guests)
_Row = tuple[int, str, int, str, tuple[str, ...]]


def _rows(path: str, organizer: Teammate, key: str, days: _Days, rows: Sequence[_Row]) -> Iterator[Resource]:
    for number, (offset, clock, minutes, title, guests) in enumerate(rows):
        uid = f"{key}-{number:02d}"
        length = timedelta(minutes=minutes)
        event = _event(uid, title, _at(days.work(offset), clock), length, organizer=organizer, guests=guests)
        yield _file(path, uid, event)


def _past(days: _Days) -> Iterator[Resource]:
    yield from _rows(
        CLIENTS,
        ALICE,
        "past",
        days,
        (
            (-31, "10:00", 60, "First talk with Maison Arlette", ("claire@maisonarlette.example",)),
            (
                -29,
                "14:00",
                45,
                "Oslo line: what went well",
                ("priya.raman@halden.example", "tom.eklund@halden.example"),
            ),
            (-27, "11:00", 30, "Hale Joinery, call", ("marcus@halejoinery.example",)),
            (
                -24,
                "09:30",
                90,
                "Intake review, kick-off",
                ("diego.fuentes@solanaclinics.example", "marta.kowalczyk@solanaclinics.example"),
            ),
            (-22, "16:00", 30, "Brightwater, catch-up", ("elena.conti@brightwater.example",)),
            (
                -20,
                "10:00",
                60,
                "Workshop layout, drawings",
                ("nadia.benali@vauban.example", "luc.ferrand@vauban.example"),
            ),
            (-17, "15:00", 45, "Contract questions", ("ingrid.solheim@halden.example", "linnea.berg@halden.example")),
            (-15, "12:30", 90, "Lunch with Claire", ("claire@maisonarlette.example",)),
            (-13, "10:00", 60, "Noor Haddad, introduction", ("noor.haddad@cedarbuild.example",)),
            (-10, "14:30", 60, "Workshop layout, signing", ("nadia.benali@vauban.example",)),
            (
                -8,
                "11:00",
                30,
                "Baobab Learning, plans for the year",
                ("aissatou@baobab.example", "moussa@baobab.example"),
            ),
            (-6, "17:00", 30, "Interview", ("peter.novak@dispatch.example",)),
        ),
    )


def _series(days: _Days) -> Iterator[Resource]:
    """A weekly call with one week moved and one cancelled, a fortnightly one, one that has ended."""
    guests = ("priya.raman@halden.example", "tom.eklund@halden.example")
    first = _at(days.weekday(1, -5), "10:00")
    weekly = _event(
        "weekly-halden",
        "Halden weekly",
        first,
        HALF,
        organizer=ALICE,
        guests=guests,
        place="Video call",
        text="Open points, numbers, next week.",
        rrule="FREQ=WEEKLY;BYDAY=TU",
        extra={"x-northwind-room": "blue", "x-agenda-colour": "teal"},
    )
    weekly.add("exdate", _at(days.weekday(1, 2), "10:00"))
    moved = _event(
        "weekly-halden",
        "Halden weekly (moved)",
        _at(days.weekday(3, 1), "15:00"),
        HALF,
        organizer=ALICE,
        guests=guests,
        place="Video call",
    )
    moved.add("recurrence-id", _at(days.weekday(1, 1), "10:00"))
    yield _file(CLIENTS, "weekly-halden", weekly, moved)
    fortnight = _event(
        "fortnight-solana", "Solana, every other Thursday", _at(days.weekday(3, -4), "09:00"), HOUR,
        organizer=ALICE, guests=("marta.kowalczyk@solanaclinics.example",), rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TH",
    )  # fmt: skip
    yield _file(CLIENTS, "fortnight-solana", fortnight)
    ended = _event(
        "ended-vauban", "Vauban, site round", _at(days.weekday(4, -5), "08:30"), HOUR,
        organizer=ALICE, guests=("luc.ferrand@vauban.example",), rrule="FREQ=WEEKLY;COUNT=4",
    )  # fmt: skip
    yield _file(CLIENTS, "ended-vauban", ended)
    monthly = _event(
        "monthly-polder", "Polder Bank, first Monday", _at(days.first_monday(), "13:00"), HOUR,
        organizer=BOB, guests=("anouk.dewit@polderbank.example", "joris.bakker@polderbank.example"),
        rrule="FREQ=MONTHLY;BYDAY=1MO",
    )  # fmt: skip
    yield _file(WORK, "monthly-polder", monthly)


def _this_week(days: _Days) -> Iterator[Resource]:
    yield from _rows(
        CLIENTS,
        ALICE,
        "week",
        days,
        (
            (
                0,
                "16:00",
                45,
                "Proposal for two shops in Lyon",
                ("claire@maisonarlette.example", "etienne.roche@maisonarlette.example"),
            ),
            (1, "14:00", 60, "Contract review", ("priya.raman@halden.example", "linnea.berg@halden.example")),
            (2, "11:00", 30, "Wanda Kruger, first call", ("wanda@karoosolar.example",)),
            (3, "10:30", 60, "Supply round", ("elena.conti@brightwater.example", "ciaran.doyle@brightwater.example")),
            (4, "09:00", 30, "Marcus, workshop tour", ("marcus@halejoinery.example",)),
            (2, "15:00", 60, "Search for a new office", ("letting@unknown-agency.example",)),
        ),
    )
    tentative = _event(
        "tentative", "Orchard & Vale, maybe", _at(days.work(4), "15:30"), HALF, status="TENTATIVE",
        organizer=ALICE, guests=("imogen@orchardvale.example",),
    )  # fmt: skip
    yield _file(CLIENTS, "tentative", tentative)


def _whole_days(days: _Days) -> Iterator[Resource]:
    """One day, several days, and a birthday that comes every year."""
    fair = _event(
        "fair", "Trade fair in Lyon", days.work(9), timedelta(days=3),
        organizer=ALICE, guests=("claire@maisonarlette.example",), place="Lyon",
    )  # fmt: skip
    yield _file(CLIENTS, "fair", fair)
    visit = _event(
        "visit", "Site visit Halden", days.work(6), timedelta(days=1),
        organizer=ALICE, guests=("tom.eklund@halden.example",), place="Halden, hall 3",
    )  # fmt: skip
    yield _file(CLIENTS, "visit", visit)
    yield _file(PERSONAL, "holidays", _event("holidays", "Holidays", days.weekday(0, 5), timedelta(days=7)))
    birthday = _event("birthday", "Mother's birthday", days.work(12), timedelta(days=1), rrule="FREQ=YEARLY")
    yield _file(PERSONAL, "birthday", birthday)


def _zones(days: _Days) -> Iterator[Resource]:
    boston = _event(
        "boston", "Data room, walk through", _at(days.work(2), "09:30", NEW_YORK), HOUR, organizer=BOB,
        guests=("hannah.weiss@lumenhealth.example", "rohan.mehta@lumenhealth.example"), extra={"x-dial-in": "4711"},
    )  # fmt: skip
    yield _file(WORK, "boston", boston)
    tokyo = _event(
        "tokyo", "Service desk, weekly from Tokyo", _at(days.weekday(2, -3), "17:00", TOKYO), HALF, organizer=BOB,
        guests=("h.mori@sakura-instruments.example", "k.watanabe@sakura-instruments.example"), rrule="FREQ=WEEKLY;BYDAY=WE",
    )  # fmt: skip
    yield _file(WORK, "tokyo", tokyo)
    timetable = _event(
        "timetable", "Timetable, lessons learned", _at(days.work(5), "15:00", NEW_YORK), HOUR, organizer=ALICE,
        guests=("rachel.ortiz@copperline.example", BOB.email),
    )  # fmt: skip
    yield _file(CLIENTS, "timetable", timetable)


def _ahead(days: _Days) -> Iterator[Resource]:
    yield from _rows(
        CLIENTS,
        ALICE,
        "ahead",
        days,
        (
            (
                8,
                "10:00",
                60,
                "Intake review, first results",
                ("diego.fuentes@solanaclinics.example", "beatriz.almeida@solanaclinics.example"),
            ),
            (13, "14:00", 60, "Negotiation, Oslo line", ("priya.raman@halden.example", "linnea.berg@halden.example")),
            (
                16,
                "11:00",
                45,
                "Lease in Lyon",
                ("claire@maisonarlette.example", "pauline.mercier@maisonarlette.example"),
            ),
            (20, "09:30", 30, "Chiara Galli, portfolio", ("chiara@gallidesign.example",)),
            (25, "15:00", 60, "Brightwater, season plan", ("elena.conti@brightwater.example",)),
            # Beyond the horizon of 31 days: counted on the records, shown on the calendar page.
            (40, "10:00", 120, "Half-year review, Halden", ("priya.raman@halden.example", "tom.eklund@halden.example")),
            (55, "14:00", 60, "Opening in Lyon", ("claire@maisonarlette.example",)),
        ),
    )


def _private(days: _Days) -> Iterator[Resource]:
    """What colleagues see as busy: marked private, or linked to nobody."""
    private = _event(
        "private", "Talk about the takeover", _at(days.work(3), "17:30"), HOUR,
        organizer=ALICE, guests=("nadia.benali@vauban.example",), extra={"class": "PRIVATE"},
    )  # fmt: skip
    yield _file(CLIENTS, "private", private)
    yield _file(
        PERSONAL, "dentist", _event("dentist", "Dentist", _at(days.work(1), "08:30"), HALF, place="Rue Mercière 4")
    )
    choir = _event(
        "choir", "Choir", _at(days.weekday(0, -4), "19:30"), timedelta(hours=2), rrule="FREQ=WEEKLY;BYDAY=MO"
    )
    yield _file(PERSONAL, "choir", choir)
    yield _file(PERSONAL, "parents", _event("parents", "Parents' evening", _at(days.work(7), "18:30"), HOUR))


def _shared(days: _Days) -> Iterator[Resource]:
    """Meetings of alice and bob with a customer: one event, a copy in each of their calendars."""
    rows = (
        ("shared-berths", -12, "10:00", "Berth scheduling, scope", BOB, (ALICE.email, "s.osei@tidewell.example", "g.adeyemi@tidewell.example")),
        ("shared-lyon", 1, "11:00", "Shop plans, with Bob", ALICE, (BOB.email, "claire@maisonarlette.example")),
        ("shared-sakura", 7, "09:00", "Service desk, offer", BOB, (ALICE.email, "h.mori@sakura-instruments.example", "meilin@chou.example")),
        ("shared-fleet", 15, "13:30", "Fleet review", BOB, (ALICE.email, "sofia.lindqvist@fjordline.example", "victor.lund@fjordline.example")),
    )  # fmt: skip
    for uid, offset, clock, title, organizer, guests in rows:
        for path in (CLIENTS, WORK):
            event = _event(uid, title, _at(days.work(offset), clock), HOUR, organizer=organizer, guests=guests)
            yield _file(path, uid, event)
    # Set up by the customer: the organizer is not of the team.
    for path in (CLIENTS, WORK):
        event = _event(
            "invited", "Steering group, Tidewell", _at(days.work(10), "16:00"), HOUR,
            organizer="s.osei@tidewell.example", guests=(ALICE.email, BOB.email), extra={"x-tidewell-ref": "SG-14"},
        )  # fmt: skip
        yield _file(path, "invited", event)


def _bobs(days: _Days) -> Iterator[Resource]:
    """Bob's alone: alice sees when they are and with whom of the customers, not more."""
    yield from _rows(
        WORK,
        BOB,
        "bob",
        days,
        (
            (-26, "10:00", 60, "Night timetable, first talk", ("rachel.ortiz@copperline.example", "devon.clarke@copperline.example")),
            (-18, "14:00", 60, "Fleet numbers", ("jonas.nyberg@fjordline.example",)),
            (-9, "09:00", 45, "Kestrel, grid questions", ("yusuf.demir@kestrel.example", "theo.walsh@kestrel.example")),
            (-4, "11:30", 30, "Bram Peeters, call", ("bram@peeters.example",)),
            (0, "13:00", 60, "Harbour tour, preparation", ("o.pritchard@tidewell.example", "g.adeyemi@tidewell.example")),
            (1, "16:30", 30, "Prices with Samuel", ("s.osei@tidewell.example",)),
            (3, "14:00", 60, "Balancing desk, demo", ("yusuf.demir@kestrel.example", "callum.reid@kestrel.example")),
            (6, "10:00", 45, "Emeka Obi, introduction", ("emeka.obi@lagosgrid.example",)),
            (11, "15:30", 60, "Risk workshop", ("joris.bakker@polderbank.example",)),
            (18, "11:00", 60, "Data room, sign-off", ("hannah.weiss@lumenhealth.example",)),
            (48, "10:00", 60, "Fjordline, yearly review", ("sofia.lindqvist@fjordline.example",)),
            (4, "12:00", 60, "Lunch with an old friend", ("someone@elsewhere.example",)),
        ),
    )  # fmt: skip
