"""Editing iCalendar: only the lines of the named fields change; every decision of `ics.edit` has its test."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest, Organizer, When

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STAMPS = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")

SERIES = """BEGIN:VCALENDAR
PRODID:-//Another program//EN
VERSION:2.0
X-WR-CALNAME:Work
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:one
DTSTAMP:20260101T000000Z
LAST-MODIFIED:20260101T000000Z
SEQUENCE:4
x-strange;P="a:b;c":1\\,2
SUMMARY;LANGUAGE=de;ALTREP="cid:1":Hallo
DESCRIPTION;ALTREP="cid:2":Lang
 er Text
X-ALT-DESC;FMTTYPE=text/html:<p>Langer Text</p>
LOCATION;X-ID=4:Room 4
GEO:52.5;13.4
DTSTART;TZID=W. Europe Standard Time:20260302T100000
DURATION:PT1H
RRULE:FREQ=WEEKLY;COUNT=10
EXDATE;TZID=W. Europe Standard Time:20260309T100000,20260406T100000
ORGANIZER;CN=Alice:mailto:alice@northwind.example
ATTENDEE;CN="Lindqvist, Bob";X-A=1;MEMBER="mailto:a@b","mailto:c@d";PARTSTAT=ACCEPTED:mailto:bob@northwind.example
ATTENDEE;ROLE=REQ-PARTICIPANT:mailto:charlie@halden.example
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT10M
X-KEEP:me
END:VALARM
BEGIN:VALARM
ACTION:AUDIO
TRIGGER;VALUE=DATE-TIME:20260101T000000Z
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:one
DTSTAMP:20260101T000000Z
RECURRENCE-ID:20260316T090000Z
SUMMARY:Special
DTSTART;TZID=W. Europe Standard Time:20260316T100000
DTEND;TZID=W. Europe Standard Time:20260316T110000
END:VEVENT
BEGIN:VEVENT
UID:one
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=W. Europe Standard Time:20260323T100000
SUMMARY:Moved
DTSTART;TZID=W. Europe Standard Time:20260324T150000
DTEND;TZID=W. Europe Standard Time:20260324T160000
END:VEVENT
BEGIN:VTODO
UID:other
SUMMARY:Not ours
END:VTODO
END:VCALENDAR
"""
SPECIAL, MOVED, PLAIN = "20260316T090000Z", "20260323T090000Z", "20260330T080000Z"


def edited(edit: dict[str, dict[str, Any]], raw: str = SERIES) -> str:
    return ics.edit(raw, edit, now=NOW)


def lines_changed(edit: dict[str, dict[str, Any]], raw: str = SERIES, *, stamps: bool = False) -> list[str]:
    """The lines that differ, `-` old and `+` new; without DTSTAMP, LAST-MODIFIED and SEQUENCE unless asked."""
    found = difflib.unified_diff(raw.splitlines(), edited(edit, raw).splitlines(), n=0, lineterm="")
    return [
        line
        for line in found
        if not line.startswith(("---", "+++", "@@")) and (stamps or not line[1:].startswith(STAMPS))
    ]


def read(raw: str) -> dict[str, Event]:
    return {event.recurrence_id: event for event in ics.read(raw, default_zone="UTC")}


def after(edit: dict[str, dict[str, Any]], raw: str = SERIES) -> dict[str, Event]:
    return read(edited(edit, raw))


def wall(start: str, end: str, zone: str = "Europe/Berlin") -> dict[str, str]:
    return {"start": start, "end": end, "zone": zone}


class TestWhatDoesNotChange:
    def test_an_edit_of_nothing_is_the_same_text(self):
        assert edited({}) == SERIES
        assert edited({"": {}}) == SERIES

    def test_values_that_stand_there_already_change_nothing(self):
        same = {
            "title": "Hallo",
            "when": wall("2026-03-02T10:00:00", "2026-03-02T11:00:00"),
            "location": "Room 4",
            "description": "Langer Text",
            "status": "confirmed",
            "recurrence": ["EXDATE:20260406T080000Z", "EXDATE:20260309T090000Z", "RRULE:FREQ=WEEKLY;COUNT=10"],
            "visibility": "default",
            "reminders": [10],
            "guest:bob@northwind.example": {"name": "Lindqvist, Bob", "optional": False},
            "response:bob@northwind.example": "accepted",
            "organizer": {"address": "alice@northwind.example", "name": "Alice"},
        }
        assert edited({"": same}) == SERIES

    def test_line_ends_stay_as_they_are(self):
        raw = SERIES.replace("\n", "\r\n")
        assert edited({"": {"title": "New"}}, raw) == edited({"": {"title": "New"}}).replace("\n", "\r\n")

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.from_regex(r"X-[A-Z]{1,5}(;[A-Z]{1,3}=[a-z]{0,4})?:[ -~äöü会]{0,90}", fullmatch=True), max_size=6),
        st.text(max_size=100),
    )
    def test_unknown_lines_survive_any_title(self, unknown: list[str], title: str):
        raw = SERIES.replace("BEGIN:VALARM\n", "\n".join([*unknown, "BEGIN:VALARM\n"]), 1)
        kept = [line for line in raw.splitlines() if not line.startswith((*STAMPS, "SUMMARY;"))]
        new = edited({"": {"title": title}}, raw)
        there = new.splitlines()
        at = iter(there)
        assert all(line in at for line in kept)  # all of them, in their order
        (master, *_) = ics.read(new, default_zone="UTC")
        assert len(ics.read(new, default_zone="UTC")) == 3
        assert master.guests == read(SERIES)[""].guests


class TestTexts:
    def test_a_title_keeps_its_parameters_but_its_other_spelling(self):
        assert lines_changed({"": {"title": "Neu; ok, \\ "}}) == [
            '-SUMMARY;LANGUAGE=de;ALTREP="cid:1":Hallo',
            "+SUMMARY;LANGUAGE=de:Neu\\; ok\\, \\\\ ",
        ]

    def test_a_description_takes_its_html_along(self):
        assert lines_changed({"": {"description": "Neu\nzwei"}}) == [
            '-DESCRIPTION;ALTREP="cid:2":Lang',
            "- er Text",
            "-X-ALT-DESC;FMTTYPE=text/html:<p>Langer Text</p>",
            "+DESCRIPTION:Neu\\nzwei",
        ]

    def test_a_place_loses_its_coordinates(self):
        assert lines_changed({"": {"location": "Room 5"}}) == [
            "-LOCATION;X-ID=4:Room 4",
            "-GEO:52.5;13.4",
            "+LOCATION;X-ID=4:Room 5",
        ]

    def test_an_empty_text_takes_the_line_out(self):
        assert lines_changed({"": {"location": ""}}) == ["-LOCATION;X-ID=4:Room 4", "-GEO:52.5;13.4"]

    @pytest.mark.parametrize("name", ["title", "location", "description"])
    @pytest.mark.parametrize("break_", ["\n", "\r\n", "\r", "\u2028", "\x85", "\x0b"])
    def test_no_text_brings_lines_of_its_own(self, name: str, break_: str):
        text = f"x{break_}ATTENDEE:mailto:evil@evil.example{break_}END:VEVENT"
        found = after({"": {name: text, "guest:dora@halden.example": {"name": text, "optional": False}}})
        assert set(found) == {"", SPECIAL, MOVED}
        assert [guest.address for guest in found[""].guests] == [
            "bob@northwind.example",
            "charlie@halden.example",
            "dora@halden.example",
        ]


class TestGuests:
    def test_a_new_guest_is_asked_for_an_answer(self):
        change = {"guest:dora@halden.example": {"name": 'Dora "D" Doe, Dr.', "optional": True}}
        (line,) = [line for line in ics.lines.unfold(edited({"": change})) if "dora" in line]
        assert line == (
            "ATTENDEE;CN=\"Dora ^'D^' Doe, Dr.\";ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"
            ":mailto:dora@halden.example"
        )

    def test_a_guest_who_goes_takes_only_their_line(self):
        assert lines_changed({"": {"guest:charlie@halden.example": None}}) == [
            "-ATTENDEE;ROLE=REQ-PARTICIPANT:mailto:charlie@halden.example"
        ]

    def test_a_role_changes_and_unknown_parameters_stay(self):
        change = {"guest:bob@northwind.example": {"name": "", "optional": True}}
        line = next(line for line in ics.lines.unfold(edited({"": change})) if "bob@" in line)
        assert line == (
            'ATTENDEE;CN="Lindqvist, Bob";X-A=1;MEMBER="mailto:a@b","mailto:c@d";PARTSTAT=ACCEPTED'
            ";ROLE=OPT-PARTICIPANT:mailto:bob@northwind.example"
        )

    def test_an_answer_changes_only_the_answer(self):
        (old, *new) = lines_changed({"": {"response:bob@northwind.example": "declined"}})
        assert "".join(line[1:] if at == 0 else line[2:] for at, line in enumerate(new)) == old[1:].replace(
            "ACCEPTED", "DECLINED"
        )

    def test_an_answer_of_somebody_who_is_not_invited_is_refused(self):
        with pytest.raises(ics.Unreadable, match="not invited"):
            edited({"": {"response:nobody@halden.example": "accepted"}})

    def test_the_first_guest_brings_an_organizer_to_the_whole_series(self):
        raw = SERIES.replace("ORGANIZER;CN=Alice:mailto:alice@northwind.example\n", "")
        found = after({"": {"organizer": {"address": "alice@northwind.example", "name": "Alice"}}}, raw)
        assert {event.organizer for event in found.values()} == {Organizer("alice@northwind.example", "Alice")}

    def test_where_tandem_invites_the_server_is_told_not_to(self):
        text = ics.edit(
            SERIES, {"": {"guest:d@x.example": {"name": "", "optional": False}}}, now=NOW, tandem_invites=True
        )
        assert [line for line in ics.lines.unfold(text) if "SCHEDULE-AGENT" in line] == [
            "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:d@x.example"
        ]


class TestSequence:
    def sequence(self, changes: dict[str, Any]) -> int:
        return after({"": changes})[""].sequence

    @pytest.mark.parametrize(
        "changes",
        [
            {"when": wall("2026-03-02T10:30:00", "2026-03-02T11:30:00")},
            {"recurrence": ["RRULE:FREQ=WEEKLY"]},
            {"status": "cancelled"},
            {"location": "Elsewhere"},
        ],
    )
    def test_it_goes_up_for_what_can_undo_an_answer(self, changes: dict[str, Any]):
        assert self.sequence(changes) == 5

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": "New"},
            {"description": "New"},
            {"guest:dora@halden.example": {"name": "", "optional": False}},
            {"response:bob@northwind.example": "declined"},
            {"reminders": [5]},
            {"visibility": "private"},
        ],
    )
    def test_it_stays_for_anything_else(self, changes: dict[str, Any]):
        assert self.sequence(changes) == 4

    def test_every_edited_event_and_no_other_is_stamped(self):
        text = edited({MOVED: {"title": "New"}})
        assert text.count("DTSTAMP:20261122T120000Z") == 1
        assert text.count("LAST-MODIFIED:20261122T120000Z") == 1
        assert text.count("DTSTAMP:20260101T000000Z") == 2


class TestTime:
    def test_a_time_keeps_the_calendars_own_zone_name(self):
        single = SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=10\n", "")
        assert lines_changed({"": {"when": wall("2026-03-03T12:00:00", "2026-03-03T13:30:00")}}, single) == [
            "-DTSTART;TZID=W. Europe Standard Time:20260302T100000",
            "-DURATION:PT1H",
            "+DTSTART;TZID=W. Europe Standard Time:20260303T120000",
            "+DTEND;TZID=W. Europe Standard Time:20260303T133000",
        ]

    def test_a_new_zone_is_defined(self):
        text = edited({"": {"when": wall("2026-03-02T10:00:00", "2026-03-02T11:00:00", "Asia/Tokyo")}})
        assert "BEGIN:VTIMEZONE\nTZID:Asia/Tokyo\n" in text
        assert "DTSTART;TZID=Asia/Tokyo:20260302T100000" in text
        assert text.index("TZID:Asia/Tokyo") < text.index("BEGIN:VEVENT")

    def test_a_zone_that_is_defined_is_not_defined_again(self):
        text = edited({"": {"when": wall("2026-03-02T10:00:00", "2026-03-02T11:00:00", "Asia/Tokyo")}})
        again = edited({"": {"when": wall("2026-03-02T12:00:00", "2026-03-02T13:00:00", "Asia/Tokyo")}}, text)
        assert again.count("TZID:Asia/Tokyo\n") == 1

    @pytest.mark.parametrize(
        ("start", "line"),
        [
            ("DTSTART:20260302T100000Z", "DTSTART:20260302T120000Z"),
            ("DTSTART:20260302T100000", "DTSTART:20260302T120000"),
            ("DTSTART;X-A=1:20260302T100000Z", "DTSTART;X-A=1:20260302T120000Z"),
        ],
    )
    def test_utc_and_floating_stay_what_they_are(self, start: str, line: str):
        raw = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{start}\nEND:VEVENT\nEND:VCALENDAR\n"
        assert f"\n{line}\n" in edited({"": {"when": wall("2026-03-02T12:00:00", "2026-03-02T13:00:00", "UTC")}}, raw)

    def test_a_whole_day_is_a_date(self):
        found = edited({"": {"when": {"start": "2026-03-02", "end": "2026-03-03"}}})
        assert "DTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260303\n" in found
        assert read(found)[""].when == When("2026-03-02", "2026-03-03")

    def test_a_day_becomes_a_time(self):
        raw = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260302\nEND:VEVENT\nEND:VCALENDAR\n"
        assert after({"": {"when": wall("2026-03-02T12:00:00", "2026-03-02T13:00:00")}}, raw)[""].when == When(
            "2026-03-02T12:00:00", "2026-03-02T13:00:00", "Europe/Berlin"
        )


MOVE = {"": {"when": wall("2026-03-03T11:30:00", "2026-03-03T13:00:00")}}


class TestASeriesThatMoves:
    def test_its_exceptions_move_along_over_a_clock_change(self):
        assert after(MOVE)[""].recurrence == (
            "RRULE:FREQ=WEEKLY;COUNT=10",
            "EXDATE:20260310T103000Z",
            "EXDATE:20260407T093000Z",
        )

    def test_an_override_at_its_own_slot_moves_along(self):
        override = after(MOVE)["20260317T103000Z"]
        assert override.title == "Special"
        assert override.when == When("2026-03-17T11:30:00", "2026-03-17T13:00:00", "Europe/Berlin")

    def test_an_override_that_was_moved_stays_and_still_fills_its_slot(self):
        override = after(MOVE)["20260324T103000Z"]
        assert override.title == "Moved"
        assert override.when == When("2026-03-24T15:00:00", "2026-03-24T16:00:00", "Europe/Berlin")

    def test_recurrence_ids_are_written_in_the_masters_zone(self):
        assert "RECURRENCE-ID;TZID=W. Europe Standard Time:20260317T113000" in edited(MOVE)

    def test_a_series_of_days_names_days(self):
        found = after({"": {"when": {"start": "2026-03-03", "end": "2026-03-04"}}})
        assert found[""].recurrence[1:] == ("EXDATE;VALUE=DATE:20260310", "EXDATE;VALUE=DATE:20260407")
        assert set(found) == {"", "20260317", "20260324"}

    @pytest.mark.parametrize(
        ("until", "moved"),
        [("20260504T080000Z", "20260505T093000Z"), ("20260504", "20260505"), ("20260504T235959Z", "20260506T012959Z")],
    )
    def test_its_end_moves_along(self, until: str, moved: str):
        raw = SERIES.replace("COUNT=10", f"UNTIL={until}")
        assert f"RRULE:FREQ=WEEKLY;UNTIL={moved}\n" in edited(MOVE, raw)

    def test_a_new_rule_together_with_a_new_time_keeps_the_exceptions(self):
        changes = {
            **MOVE[""],
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=20", "EXDATE:20260309T090000Z", "EXDATE:20260406T080000Z"],
        }
        assert after({"": changes})[""].recurrence == (
            "RRULE:FREQ=WEEKLY;COUNT=20",
            "EXDATE:20260310T103000Z",
            "EXDATE:20260407T093000Z",
        )

    def test_periods_move_with_both_ends(self):
        period = "RDATE;VALUE=PERIOD:20260501T100000Z/20260501T120000Z,20260502T100000Z/PT1H"
        raw = SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=10", period)
        assert [line for line in ics.lines.unfold(edited(MOVE, raw)) if line.startswith("RDATE")] == [
            "RDATE;TZID=W. Europe Standard Time;VALUE=PERIOD:20260502T133000/20260502T153000,20260503T133000/PT1H"
        ]

    def test_occurrences_are_named_as_they_were_before_the_move(self):
        found = after({**MOVE, MOVED: {"title": "Both"}})
        assert found["20260324T103000Z"].title == "Both"


class TestOccurrences:
    def test_an_edit_makes_an_override_from_the_master(self):
        found = after({PLAIN: {"title": "This one"}})
        made = found[PLAIN]
        assert made.when == When("2026-03-30T10:00:00", "2026-03-30T11:00:00", "Europe/Berlin")
        assert (made.title, made.guests, made.recurrence) == ("This one", found[""].guests, ())
        assert found[""] == read(SERIES)[""]

    def test_a_new_override_keeps_what_the_master_has(self):
        made = edited({PLAIN: {"title": "This one"}})
        block = made[made.index("RECURRENCE-ID;TZID=W. Europe Standard Time:20260330T100000") :]
        assert 'x-strange;P="a:b;c":1\\,2' in block
        assert "X-KEEP:me" in block
        assert "RRULE" not in block
        assert "EXDATE" not in block

    def test_an_override_that_is_there_is_edited_in_place(self):
        assert lines_changed({MOVED: {"title": "New"}}) == ["-SUMMARY:Moved", "+SUMMARY:New"]

    def test_a_cancelled_occurrence_is_an_exception_in_the_masters_zone(self):
        assert lines_changed({PLAIN: {"status": "cancelled"}}) == [
            "+EXDATE;TZID=W. Europe Standard Time:20260330T100000"
        ]

    def test_a_cancelled_override_goes(self):
        found = after({MOVED: {"status": "cancelled"}})
        assert set(found) == {"", SPECIAL}
        assert f"EXDATE:{MOVED}" in found[""].recurrence
        assert found[""].sequence == 5

    def test_a_cancelled_occurrence_comes_back(self):
        assert "EXDATE:20260309T090000Z" not in after({"20260309T090000Z": {"status": "confirmed"}})[""].recurrence
        assert lines_changed({"20260309T090000Z": {"status": "confirmed"}}) == [
            "-EXDATE;TZID=W. Europe Standard Time:20260309T100000,20260406T100000",
            "+EXDATE;TZID=W. Europe Standard Time:20260406T100000",
        ]

    def test_an_occurrence_of_an_all_day_series(self):
        raw = (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260304\n"
            "RRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR\n"
        )
        assert after({"20260309": {"title": "x"}}, raw)["20260309"].when == When("2026-03-09", "2026-03-11")
        assert "EXDATE;VALUE=DATE:20260309" in edited({"20260309": {"status": "cancelled"}}, raw)

    def test_an_override_alone_is_cancelled_by_its_status(self):
        start, end = SERIES.index("BEGIN:VEVENT"), SERIES.index("BEGIN:VEVENT\nUID:one\nDTSTAMP:20260101T000000Z\nREC")
        alone = SERIES[:start] + SERIES[end:]
        found = after({MOVED: {"status": "cancelled"}}, alone)
        assert found[MOVED].status == "cancelled"
        assert found[SPECIAL].status == "confirmed"
        with pytest.raises(ics.Unreadable, match="not the series itself"):
            edited({"": {"title": "New"}}, alone)

    def test_an_occurrence_of_what_does_not_repeat_is_refused(self):
        single = SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=10\n", "")
        with pytest.raises(ics.Unreadable, match="not in the calendar any more"):
            edited({PLAIN: {"title": "New"}}, single)

    def test_a_series_that_no_longer_repeats_has_no_overrides(self):
        assert set(after({"": {"recurrence": []}})) == {""}

    def test_a_cancelled_series_is_cancelled_everywhere(self):
        assert {event.status for event in after({"": {"status": "cancelled"}}).values()} == {"cancelled"}


class TestTheRest:
    def test_reminders_change_and_other_alarms_stay(self):
        found = edited({"": {"reminders": [5, 60]}})
        assert read(found)[""].reminders == (5, 60)
        assert "X-KEEP:me" not in found
        assert "TRIGGER;VALUE=DATE-TIME:20260101T000000Z" in found

    @pytest.mark.parametrize(
        ("line", "value", "expected"),
        [
            ("CLASS:CONFIDENTIAL", "private", "CLASS:CONFIDENTIAL"),
            ("CLASS:CONFIDENTIAL", "public", "CLASS:PUBLIC"),
            ("X-NO:1", "private", "CLASS:PRIVATE"),
        ],
    )
    def test_visibility(self, line: str, value: str, expected: str):
        raw = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260302T100000Z\n{line}\nEND:VEVENT\nEND:VCALENDAR\n"
        assert expected in edited({"": {"visibility": value}}, raw).splitlines()

    def test_a_new_event_of_ours_can_be_edited(self):
        event = Event(
            "new",
            title="A",
            when=When("2026-03-02T10:00:00", "2026-03-02T11:00:00", "Europe/Berlin"),
            guests=(Guest("a@x.example", "A\r\nATTENDEE:mailto:evil@x.example"),),
        )
        raw = ics.new([event], now=NOW)
        assert [guest.address for guest in read(raw)[""].guests] == ["a@x.example"]
        assert after({"": {"title": "B"}}, raw)[""].title == "B"

    @settings(max_examples=150, deadline=None)
    @given(st.text(max_size=300))
    def test_what_is_no_calendar_is_refused(self, raw: str):
        with pytest.raises(ics.Unreadable):
            edited({"": {"title": "New"}}, raw)
