"""Reading iCalendar: what every spelling means, and that nothing but `Unreadable` is ever raised."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest, Organizer, When, encode
from tandem.calendaring.ics import lines

BERLIN = "Europe/Berlin"
NAMES = """DTSTART DTEND DURATION RRULE EXDATE RDATE RECURRENCE-ID ATTENDEE ORGANIZER SUMMARY TRIGGER BEGIN END TZID
    SEQUENCE UID CLASS STATUS DESCRIPTION URL TZOFFSETTO"""
VALUES = """VEVENT VALARM VTIMEZONE STANDARD VCALENDAR 20260105 20260105T100000 20260105T100000Z 99991231T235959Z
    00010101T000000 -P1D P999999W PT99999999S FREQ=DAILY mailto:a@b FREQ=WEEKLY;BYDAY=9XX +0100 +9999"""
OUTLOOK_ZONE = """BEGIN:VTIMEZONE
TZID:{tzid}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
"""


def text(*properties: str, zones: str = "") -> str:
    body = "\n".join(properties)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{zones}BEGIN:VEVENT\nUID:one\n{body}\nEND:VEVENT\nEND:VCALENDAR\n"


def one(*properties: str, zones: str = "", default_zone: str = "UTC") -> Event:
    (event,) = ics.read(text(*properties, zones=zones), default_zone=default_zone)
    return event


def when(*properties: str, zones: str = "", default_zone: str = "UTC") -> When | None:
    return one(*properties, zones=zones, default_zone=default_zone).when


class TestTimes:
    def test_a_time_with_a_zone_keeps_wall_time_and_zone(self):
        found = when("DTSTART;TZID=Europe/Berlin:20260105T100000", "DTEND;TZID=Europe/Berlin:20260105T113000")
        assert found == When("2026-01-05T10:00:00", "2026-01-05T11:30:00", BERLIN)

    def test_utc_is_a_zone(self):
        assert when("DTSTART:20260105T100000Z", "DTEND:20260105T110000Z") == When(
            "2026-01-05T10:00:00", "2026-01-05T11:00:00", "UTC"
        )

    def test_a_floating_time_is_in_the_default_zone(self):
        found = when("DTSTART:20260105T100000", "DTEND:20260105T110000", default_zone="Asia/Tokyo")
        assert found == When("2026-01-05T10:00:00", "2026-01-05T11:00:00", "Asia/Tokyo")

    def test_dates_stay_dates_with_an_exclusive_end(self):
        assert when("DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260107") == When("2026-01-05", "2026-01-07")

    @pytest.mark.parametrize(
        "end", [(), ("DTEND;VALUE=DATE:20260105",), ("DURATION:P1D",), ("DTEND;VALUE=DATE:20260101",)]
    )
    def test_a_day_without_a_later_end_is_one_day(self, end: tuple[str, ...]):
        assert when("DTSTART;VALUE=DATE:20260105", *end) == When("2026-01-05", "2026-01-06")

    def test_a_time_without_end_has_no_length(self):
        assert when("DTSTART:20260105T100000Z") == When("2026-01-05T10:00:00", "2026-01-05T10:00:00", "UTC")

    @pytest.mark.parametrize(
        ("duration", "end"),
        [
            ("PT1H30M", "2026-03-28T21:30:00"),
            ("P1D", "2026-03-29T20:00:00"),  # a day on the wall, although it has 23 hours
            ("PT24H", "2026-03-29T21:00:00"),  # 24 hours that pass
            ("P1W", "2026-04-04T20:00:00"),
            ("-PT1H", "2026-03-28T20:00:00"),
            ("PT0S", "2026-03-28T20:00:00"),
        ],
    )
    def test_a_duration_counts_days_on_the_wall_and_hours_as_they_pass(self, duration: str, end: str):
        found = when("DTSTART;TZID=Europe/Berlin:20260328T200000", f"DURATION:{duration}")
        assert found == When("2026-03-28T20:00:00", end, BERLIN)

    def test_an_end_in_another_zone_is_told_in_the_zone_of_the_start(self):
        found = when("DTSTART;TZID=Europe/Berlin:20260105T100000", "DTEND;TZID=America/New_York:20260105T060000")
        assert found == When("2026-01-05T10:00:00", "2026-01-05T12:00:00", BERLIN)

    def test_an_end_before_the_start_is_no_length(self):
        assert when("DTSTART:20260105T100000Z", "DTEND:20260105T090000Z") == When(
            "2026-01-05T10:00:00", "2026-01-05T10:00:00", "UTC"
        )

    def test_an_event_without_start_has_no_time(self):
        assert when("SUMMARY:Some day") is None

    def test_a_leap_second_is_the_second_before(self):
        found = when("DTSTART:20161231T235960Z")
        assert found is not None
        assert found.start == "2016-12-31T23:59:59"

    @pytest.mark.parametrize("start", ["20261301T100000Z", "tomorrow", "20260105T250000Z", "00000101", "2026"])
    def test_a_time_that_is_none_is_unreadable(self, start: str):
        with pytest.raises(ics.Unreadable, match="a time that is none"):
            one(f"DTSTART:{start}")


class TestZones:
    @pytest.mark.parametrize(
        ("tzid", "zone"),
        [
            ("Europe/Berlin", BERLIN),
            ("europe/berlin", BERLIN),
            ("W. Europe Standard Time", BERLIN),
            ("Eastern Standard Time", "America/New_York"),
            ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", BERLIN),
            ("/citadel.org/20210210_1/America/Indiana/Knox", "America/Indiana/Knox"),
            ("UTC", "UTC"),
            ("GMT+0200", "Etc/GMT-2"),
            ('"tzone://Microsoft/Utc"', "UTC"),
            ('"Europe/Berlin"', BERLIN),
        ],
    )
    def test_a_zone_is_known_by_its_name(self, tzid: str, zone: str):
        found = when(f"DTSTART;TZID={tzid}:20260105T100000")
        assert found is not None
        assert found.zone == zone

    @pytest.mark.parametrize("tzid", ["Customized Time Zone 1", "tzone://Microsoft/Custom", "(UTC+01:00) Amsterdam"])
    def test_an_invented_name_is_known_by_its_offsets(self, tzid: str):
        quoted = f'"{tzid}"'
        found = when(f"DTSTART;TZID={quoted}:20260705T100000", zones=OUTLOOK_ZONE.format(tzid=tzid))
        assert found is not None
        assert found.zone == BERLIN

    def test_a_zone_that_nothing_tells_is_unreadable(self):
        with pytest.raises(ics.Unreadable, match="does not know: Mars/Olympus"):
            one("DTSTART;TZID=Mars/Olympus:20260105T100000")

    def test_a_rule_by_the_second_in_a_zone_takes_no_time(self):
        zones = OUTLOOK_ZONE.format(tzid="Trap").replace("FREQ=YEARLY", "FREQ=SECONDLY")
        started = time.perf_counter()
        with pytest.raises(ics.Unreadable):
            one("DTSTART;TZID=Trap:20260705T100000", zones=zones)
        assert time.perf_counter() - started < 2


class TestTexts:
    def test_escapes_are_resolved(self):
        event = one(r"SUMMARY:A\, b\; c\\n", r"DESCRIPTION:one\ntwo\Nthree")
        assert (event.title, event.description) == ("A, b; c\\n", "one\ntwo\nthree")

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
    @pytest.mark.parametrize("fold", [" ", "\t"])
    def test_any_line_end_and_fold_is_read(self, end: str, fold: str):
        folded = text(f"SUMMARY:A long\n{fold}er title").replace("\n", end)
        assert ics.read(folded, default_zone="UTC")[0].title == "A longer title"

    def test_a_byte_order_mark_is_no_part_of_the_text(self):
        assert ics.read("\ufeff" + text("SUMMARY:A"), default_zone="UTC")[0].title == "A"

    def test_a_title_is_one_line(self):
        assert one(r"SUMMARY: One\ntwo ").title == "One two"

    def test_control_characters_are_left_out(self):
        assert one("SUMMARY:A\x00B\x1bC").title == "ABC"

    def test_a_description_in_html_is_plain_text(self):
        assert one("DESCRIPTION:<p>One</p><p>Two &amp; three</p>").description == "One\nTwo & three"

    def test_an_html_description_alone_counts(self):
        assert one("X-ALT-DESC;FMTTYPE=text/html:<html><body>One<br>Two</body></html>").description == "One\nTwo"

    def test_names_in_any_case_are_known(self):
        assert one("summary:A", "dtstart:20260105T100000Z").title == "A"

    def test_lines_without_a_colon_are_passed_over(self):
        assert one("THIS IS NO LINE", "SUMMARY:A").title == "A"


class TestPeople:
    def test_a_guest_is_read_with_name_answer_and_role(self):
        event = one(
            "ATTENDEE;CN=\"Doe, Jane: the ^'first^'\";PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT:MAILTO:Jane@Example.ORG",
            "ATTENDEE;CUTYPE=ROOM;CN=Room 4:mailto:room4@example.org",
        )
        assert event.guests == (
            Guest("jane@example.org", 'Doe, Jane: the "first"', "accepted", optional=True),
            Guest("room4@example.org", "Room 4", resource=True),
        )

    def test_the_organizer_stays_a_guest_when_listed_as_one(self):
        event = one("ORGANIZER;CN=Ann:mailto:ann@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org")
        assert event.organizer == Organizer("ann@example.org", "Ann")
        assert event.guests == (Guest("ann@example.org", response="accepted"),)

    def test_an_address_may_stand_in_a_parameter(self):
        event = one("ORGANIZER;CN=Ann;EMAIL=ann@example.org:/1234/principal/")
        assert event.organizer == Organizer("ann@example.org", "Ann")

    def test_one_address_twice_is_one_guest_with_the_answer(self):
        event = one("ATTENDEE:mailto:a@example.org", "ATTENDEE;PARTSTAT=DECLINED:mailto:A@example.org")
        assert event.guests == (Guest("a@example.org", response="declined"),)

    @pytest.mark.parametrize(("word", "answer"), [("DELEGATED", "needs-action"), ("x-maybe", "needs-action")])
    def test_answers_we_do_not_have_are_none(self, word: str, answer: str):
        assert one(f"ATTENDEE;PARTSTAT={word}:mailto:a@example.org").guests[0].response == answer

    def test_an_idn_domain_is_compared_in_ascii(self):
        assert one("ATTENDEE:mailto:a@Bücher.example").guests[0].address == "a@xn--bcher-kva.example"

    def test_an_address_longer_than_any_is_no_guest(self):
        assert one(f"ATTENDEE:mailto:{'a' * 300}@example.org").guests == ()


class TestTheRest:
    @pytest.mark.parametrize(
        ("line", "field", "value"),
        [
            ("CLASS:CONFIDENTIAL", "visibility", "private"),
            ("CLASS:private", "visibility", "private"),
            ("CLASS:PUBLIC", "visibility", "public"),
            ("STATUS:CANCELLED", "status", "cancelled"),
            ("STATUS:NEEDS-ACTION", "status", "confirmed"),
            ("TRANSP:TRANSPARENT", "free", True),
            ("SEQUENCE:7", "sequence", 7),
            ("SEQUENCE:many", "sequence", 0),
            ("X-GOOGLE-CONFERENCE:https://meet.google.com/abc", "join_url", "https://meet.google.com/abc"),
            ("CONFERENCE;VALUE=URI:https://x.example/1", "join_url", "https://x.example/1"),
            ("LOCATION:https://acme.zoom.us/j/123?pwd=x", "join_url", "https://acme.zoom.us/j/123?pwd=x"),
            ("DESCRIPTION:Join https://teams.microsoft.com/l/x.", "join_url", "https://teams.microsoft.com/l/x"),
            ("URL:https://x.example/agenda", "join_url", "https://x.example/agenda"),
            ("URL:javascript:alert(1)", "join_url", ""),
        ],
    )
    def test_a_line_means(self, line: str, field: str, value: object):
        assert getattr(one(line), field) == value

    def test_reminders_are_minutes_before_the_start(self):
        def alarm(trigger: str) -> str:
            return f"BEGIN:VALARM\nACTION:DISPLAY\n{trigger}\nUID:inner\nEND:VALARM"

        event = one(
            alarm("TRIGGER:-PT15M"),
            alarm("TRIGGER:-P1D"),
            alarm("TRIGGER;RELATED=END:-PT5M"),
            alarm("TRIGGER;VALUE=DATE-TIME:20260101T000000Z"),
            alarm("TRIGGER:PT5M"),
        )
        assert event.reminders == (15, 1440)
        assert event.uid == "one"


class TestSeries:
    def test_rules_and_dates_have_one_form(self):
        event = one(
            "DTSTART;TZID=Europe/Berlin:20260105T100000",
            "RRULE:interval=1;byday=WE,MO;freq=weekly;wkst=MO;COUNT=9",
            "EXDATE;TZID=Europe/Berlin:20260119T100000,20260112T100000",
            "EXDATE:20260126T090000Z",
            "EXDATE:20260126T100000",
            "RDATE;VALUE=PERIOD:20260301T090000Z/PT1H",
        )
        assert event.recurrence == (
            "RRULE:FREQ=WEEKLY;COUNT=9;BYDAY=MO,WE",
            "RDATE:20260301T090000Z",
            "EXDATE:20260112T090000Z",
            "EXDATE:20260119T090000Z",
            "EXDATE:20260126T090000Z",
        )

    def test_dates_of_an_all_day_series_are_dates(self):
        event = one("DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20260107")
        assert event.recurrence == ("RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20260107")

    def override(self, start: str, recurrence_id: str) -> list[Event]:
        master = f"BEGIN:VEVENT\nUID:one\n{start}\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n"
        override = f"BEGIN:VEVENT\nUID:one\n{recurrence_id}\n{start}\nSUMMARY:moved\nEND:VEVENT\n"
        return ics.read(f"BEGIN:VCALENDAR\n{override}{master}END:VCALENDAR", default_zone="Asia/Tokyo")

    @pytest.mark.parametrize(
        ("start", "line", "recurrence_id"),
        [
            ("DTSTART;TZID=Europe/Berlin:20260105T100000", "RECURRENCE-ID:20260112T090000Z", "20260112T090000Z"),
            (
                "DTSTART;TZID=Europe/Berlin:20260105T100000",
                "RECURRENCE-ID;TZID=Europe/Berlin:20260112T100000",
                "20260112T090000Z",
            ),
            ("DTSTART;TZID=Europe/Berlin:20260105T100000", "RECURRENCE-ID:20260112T100000", "20260112T090000Z"),
            ("DTSTART;TZID=Europe/Berlin:20260105T100000", "RECURRENCE-ID;VALUE=DATE:20260112", "20260112T090000Z"),
            ("DTSTART;VALUE=DATE:20260105", "RECURRENCE-ID;VALUE=DATE:20260112", "20260112"),
            ("DTSTART;VALUE=DATE:20260105", "RECURRENCE-ID:20260112T000000Z", "20260112"),
        ],
    )
    def test_the_spellings_of_a_recurrence_id_are_one(self, start: str, line: str, recurrence_id: str):
        assert [event.recurrence_id for event in self.override(start, line)] == ["", recurrence_id]

    def test_of_two_versions_the_newer_counts(self):
        events = "".join(
            f"BEGIN:VEVENT\nUID:one\nSEQUENCE:{sequence}\nSUMMARY:{sequence}\nEND:VEVENT\n" for sequence in (2, 3, 1)
        )
        assert [event.title for event in ics.read(f"BEGIN:VCALENDAR\n{events}END:VCALENDAR", default_zone="UTC")] == [
            "3"
        ]


class TestUnreadable:
    @pytest.mark.parametrize("end", range(20, 150, 7))
    def test_a_text_that_breaks_off_is_not_half_an_event(self, end: int):
        whole = text("SUMMARY:A", "DTSTART:20260105T100000Z", "DTEND:20260105T110000Z", "LOCATION:" + "x" * 60)
        with pytest.raises(ics.Unreadable):
            ics.read(whole[:end], default_zone="UTC")

    @pytest.mark.parametrize("raw", ["", "hello", "<html></html>", "END:VCALENDAR", "BEGIN:VEVENT\nEND:VEVENT"])
    def test_what_is_no_calendar_says_so(self, raw: str):
        with pytest.raises(ics.Unreadable):
            ics.read(raw, default_zone="UTC")

    def test_a_calendar_of_tasks_has_no_events(self):
        assert ics.read("BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nEND:VTODO\nEND:VCALENDAR", default_zone="UTC") == []

    names = st.sampled_from(NAMES.split())
    params = st.sampled_from(
        ["", ";TZID=Europe/Berlin", ";VALUE=DATE", ';TZID="x', ";TZID=X", ";CN=", ";X", ";=", ';CN="a"b"']
    )
    values = st.one_of(st.text(max_size=20), st.sampled_from(VALUES.split()))

    @settings(max_examples=400, deadline=None)
    @given(st.lists(st.builds("{}{}:{}".format, names, params, values), max_size=14))
    def test_anything_is_read_or_unreadable(self, properties: list[str]):
        for raw in (text(*properties), text(*properties, zones=OUTLOOK_ZONE.format(tzid="X")), "\n".join(properties)):
            try:
                for event in ics.read(raw, default_zone="Europe/Berlin"):
                    encode(event).encode()
            except ics.Unreadable:
                pass

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=200))
    def test_any_text_is_read_or_unreadable(self, raw: str):
        with pytest.raises(ics.Unreadable):
            ics.read(raw, default_zone="UTC")


class TestLines:
    @given(st.text(max_size=300))
    def test_folding_and_unfolding_gives_the_text_back(self, raw: str):
        clean = lines.logical(lines.fold("X:" + raw))
        folded = lines.fold(clean)
        assert lines.logical(folded) == clean
        assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))
        assert "".join(lines.physical(folded)) == folded

    @given(st.text(max_size=60))
    def test_a_text_value_survives_and_stays_one_line(self, raw: str):
        encoded = lines.encode_text(raw)
        assert "\n" not in encoded
        assert "\r" not in encoded
        assert lines.decode_text(encoded) == "\n".join(lines._NEWLINES.split(raw))

    @given(st.text(max_size=60))
    def test_a_parameter_survives_and_stays_one(self, raw: str):
        head = lines.set_param("ATTENDEE;X=1", "CN", raw)
        name, params, value = lines.split(lines.logical(lines.fold(f"{head};Y=2:mailto:a@b")))
        assert (name, params["X"], params["Y"], value) == ("ATTENDEE", "1", "2", "mailto:a@b")
        assert set(params) == {"X", "CN", "Y"}
