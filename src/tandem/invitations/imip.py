"""iMIP messages (RFC 6047): a scheduling message of iTIP (RFC 5546) in a mail, with a summary in words.

The mail comes from the installation's own address, for a foreign From fails SPF and DMARC; the user is
ORGANIZER and Reply-To. Pure but for the settings that its caller hands in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal
from uuid import UUID

import msgspec

from tandem.calendaring import ics
from tandem.calendaring.event import Event, Guest, Organizer, When
from tandem.calendaring.series import words

Method = Literal["REQUEST", "CANCEL"]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322 3.2.3; quoted local parts are not for mail of ours
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_MOST_SUBJECT = 200

LABELS = {
    "title": "name",
    "when": "time",
    "location": "place",
    "description": "description",
    "status": "status",
    "recurrence": "repetition",
}


class NotMailable(ValueError):
    """No mail can be sent to this address. `words` says why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class Invitation:
    """What one guest is told.

    `event` is the event as it is now, or for a CANCEL as it was, with the SEQUENCE to send. `changed`
    are field names (none: a first invitation). `everyone` is False when a CANCEL takes only this guest
    off the list. `organizer` is the user; `mail_from` the installation's address.
    """

    id: UUID
    method: Method
    event: Event
    guest: Guest
    organizer: Organizer
    mail_from: str
    changed: Sequence[str] = ()
    everyone: bool = True


def check_address(address: str) -> None:
    """Raises `NotMailable` for what is no address, or one that needs more than plain SMTP carries."""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise NotMailable("This is no address to which Tandem can send mail.")


def message(invitation: Invitation, *, now: datetime) -> str:
    """The whole mail, as SMTP sends it (CRLF, ASCII). Raises `NotMailable`.

    The same invitation always has the same Message-ID, so that a mail sent twice is seen as one.
    """
    check_address(invitation.guest.address)
    organizer, calendar = invitation.organizer, calendar_text(invitation, now=now)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = Address(
        f"{one_line(organizer.name or organizer.address)} via Tandem", addr_spec=invitation.mail_from
    )
    mail["To"] = Address(one_line(invitation.guest.name), addr_spec=invitation.guest.address)
    if _ADDRESS.fullmatch(organizer.address):
        mail["Reply-To"] = Address(one_line(organizer.name), addr_spec=organizer.address)
    mail["Subject"] = subject(invitation)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{invitation.id}@{invitation.mail_from.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no "I am away" in answer
    mail["MIME-Version"] = "1.0"
    mail.make_mixed()
    mail.attach(_alternatives(text(invitation), calendar, invitation.method))
    attached = EmailMessage(policy=policy.SMTP)
    attached.set_content(calendar.encode(), "application", "ics", disposition="attachment", filename="invite.ics")
    del attached["MIME-Version"]
    mail.attach(attached)
    return mail.as_bytes().decode("ascii")


def calendar_text(invitation: Invitation, *, now: datetime) -> str:
    """The iCalendar part: RFC 5546 3.2.2 (REQUEST) and 3.2.5 (CANCEL)."""
    event = msgspec.structs.replace(
        invitation.event,
        organizer=invitation.organizer,
        # The organizer's reminders and marks are their own.
        reminders=(),
        free=False,
    )
    if invitation.method == "CANCEL":
        event = msgspec.structs.replace(event, status="cancelled")
        if not invitation.everyone:
            event = msgspec.structs.replace(event, guests=(invitation.guest,))
    written = ics.new([event], now=now, method=invitation.method)
    if invitation.method == "CANCEL" and not invitation.everyone:
        # RFC 5546 3.2.5: STATUS stands there only when the whole event is cancelled.
        written = re.sub(r"^STATUS:[^\r\n]*\r\n", "", written, count=1, flags=re.MULTILINE)
    return written


def subject(invitation: Invitation) -> str:
    title = one_line(invitation.event.title) or "(no name)"
    if invitation.method == "CANCEL":
        begin = "Cancelled" if invitation.everyone else "No longer invited"
    else:
        begin = "Changed" if invitation.changed else "Invitation"
    when = invitation.event.when
    at = f", {time_words(when)}" if when else ""
    return f"{begin}: {title[: _MOST_SUBJECT - len(at) - len(begin)]}{at}"


def text(invitation: Invitation) -> str:
    """The mail in words, for those whose program doesn't show invitations."""
    event, who = invitation.event, one_line(invitation.organizer.name or invitation.organizer.address)
    title = one_line(event.title) or "(no name)"
    lines = [_opening(invitation, who, title), ""]
    if event.when:
        lines.append(f"When: {time_words(event.when)}")
    if repeats := words(event.recurrence, event.when):
        lines.append(f"Repeats: {repeats}")
    if event.location:
        lines.append(f"Where: {one_line(event.location)}")
    if event.join_url and event.join_url not in event.location:
        lines.append(f"Join: {one_line(event.join_url)}")
    if invitation.method == "REQUEST":
        lines.append(f"Guests: {', '.join(one_line(guest.name or guest.address) for guest in event.guests)}")
        if event.description:
            lines += ["", *(one_line(line) for line in event.description.splitlines())]
        lines += ["", f"Answer from your calendar, or reply to this mail: it goes to {who}."]
    else:
        lines += ["", f"To ask why, reply to this mail: it goes to {who}."]
    return "\n".join(lines) + "\n"


def time_words(when: When) -> str:
    """`Thu 11 Dec 2026, 14:00 – 15:00 (Europe/Berlin)`, `Wed 10 – Thu 11 Dec 2026, all day`."""
    if when.all_day:
        first, last = when.first_day, max(when.first_day, when.end_day - timedelta(days=1))
        if first == last:
            return f"{_day(first)}, all day"
        return f"{_day(first)} – {_day(last)}, all day"
    start, end = (datetime.fromisoformat(wall) for wall in (when.start, when.end))
    ends = f"{end:%H:%M}" if end.date() == start.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(start)}, {start:%H:%M} – {ends} ({when.zone})" if end > start else f"{_day(start)}, {start:%H:%M}"


def one_line(said: str) -> str:
    """What people typed, without line ends and control characters: no header and no line begins in it."""
    return " ".join(_UNPRINTABLE.sub(" ", said).split())


def _opening(invitation: Invitation, who: str, title: str) -> str:
    if invitation.method == "CANCEL":
        if not invitation.everyone:
            return f"{who} took you off the list for “{title}”. You need not come."
        which = "This date of " if invitation.event.recurrence_id else ""
        return f"{who} cancelled a meeting. {which}“{title}” does not take place."
    if not invitation.changed:
        return f"{who} invites you to “{title}”."
    named = [LABELS[name] for name in invitation.changed if name in LABELS]
    if len(named) < len(invitation.changed):
        named.append("guests")
    which = " for this date" if invitation.event.recurrence_id else ""
    return f"{who} changed “{title}”{which}: {', '.join(named)}."


def _alternatives(plain: str, calendar: str, method: Method) -> EmailMessage:
    both = EmailMessage(policy=policy.SMTP)
    both.set_content(plain, charset="utf-8", cte="quoted-printable")
    # base64: relays break the long or foreign lines of an "8bit" calendar.
    both.add_alternative(calendar, subtype="calendar", charset="utf-8", cte="base64", params={"method": method})
    del both["MIME-Version"]
    return both


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
