"""Events that another program than Tandem puts into Alice's calendar."""

from __future__ import annotations

from datetime import date

from tests.journeys.product import CalendarServer, Resource

CALENDAR = "client-meetings"


def strangers_event(uid: str, title: str, day: date, guest: str) -> str:
    """An event of Alice's as another program wrote it, with lines that Tandem knows nothing of."""
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Somebody else//EN",
            "X-WR-CALNAME:Somebody’s own name",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20250106T090000Z",
            "SEQUENCE:2",
            f"DTSTART:{day:%Y%m%d}T080000Z",
            f"DTEND:{day:%Y%m%d}T090000Z",
            f"SUMMARY:{title}",
            "X-SEATS;X-SHAPE=round:12",
            "ORGANIZER;CN=Alice Moreau:mailto:alice@northwind.example",
            "ATTENDEE;CN=Alice Moreau;PARTSTAT=ACCEPTED:mailto:alice@northwind.example",
            f"ATTENDEE;CN=A guest;PARTSTAT=NEEDS-ACTION;X-SEAT=4:mailto:{guest}",
            'X-APPLE-STRUCTURED-LOCATION;X-TITLE="Hall 3":geo:45.76,4.83',
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT10M",
            "X-SOUND:bell",
            "END:VALARM",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )


def put_event(server: CalendarServer, uid: str, title: str, day: date, guest: str) -> Resource:
    """Store it in Alice's calendar, as her other program would."""
    return server.put(f"/alice/{CALENDAR}/{uid}.ics", strangers_event(uid, title, day, guest))
