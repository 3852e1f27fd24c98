"""The ledger: who is told what, decided and written down in the transaction that confirms an edit."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import msgspec
from django.conf import settings

from tandem.calendaring.event import Event, Guest, Organizer
from tandem.invitations import imip
from tandem.invitations.consent import Audience, audience, teller
from tandem.invitations.models import LedgerEntry
from tandem.mailboxes.models import Sender
from tandem.mailboxes.rights import me
from tandem.meetings.models import Intent

State = LedgerEntry.State
Method = LedgerEntry.Method


def record(intent: Intent, *, before: Event | None, after: Event | None, now: datetime) -> list[LedgerEntry]:
    """Write down who is told that `before` became `after` (None: not there); the entries written.

    Nobody is, unless the intent's author said so. An account whose server mails gets entries that
    are sent already; for the others each has its mail, for `sender` to send after the commit. For one
    intent a guest has one entry: what is confirmed in parts renews a mail that still waits.
    """
    if not intent.tell:
        return []
    mine = me(intent.calendar.account)
    if intent.author is not None:
        mine |= intent.author.addresses()
    told = audience(before, after, mine)
    known = {entry.address: entry for entry in intent.ledger.all()}
    entries = []
    for method, guests in ((Method.REQUEST, told.requests), (Method.CANCEL, told.cancels)):
        event = _as_told(method, before, after)
        for guest in guests:
            entry = known.get(guest.address) or _new(intent, guest)
            if event is None or (guest.address in known and entry.state != State.WAITING):
                continue
            _fill(
                entry,
                intent,
                method,
                event,
                guest,
                told,
                is_new=before is None or before.guest(guest.address) is None,
                now=now,
            )
            entry.save()
            entries.append(entry)
    return entries


def _as_told(method: Method, before: Event | None, after: Event | None) -> Event | None:
    """The event that the message carries, with its SEQUENCE (RFC 5546 2.1.4)."""
    if method == Method.REQUEST:
        return after
    if after is not None and before is not None:
        sequence = max(after.sequence, before.sequence + 1)
        return msgspec.structs.replace(before, sequence=sequence)
    return None if before is None else msgspec.structs.replace(before, sequence=before.sequence + 1)


def _new(intent: Intent, guest: Guest) -> LedgerEntry:
    return LedgerEntry(
        intent=intent,
        series_id=intent.meeting.series_id if intent.meeting else None,
        recurrence_id=intent.recurrence_id,
        address=guest.address[:254],
        told_by=teller(intent.calendar.account),
        on_word_of=intent.author,
    )


def _fill(
    entry: LedgerEntry,
    intent: Intent,
    method: Method,
    event: Event,
    guest: Guest,
    told: Audience,
    *,
    is_new: bool,
    now: datetime,
) -> None:
    invitation = imip.Invitation(
        id=entry.id,
        method=cast(imip.Method, method.value),
        event=event,
        guest=guest,
        organizer=_organizer(intent, event),
        mail_from=settings.MAIL_FROM,
        changed=() if is_new else told.changed,
        everyone=told.everyone,
    )
    entry.method, entry.sequence, entry.created_at = method, event.sequence, now
    entry.summary = imip.subject(invitation)[:300]
    if entry.told_by == Sender.SERVER:
        entry.state, entry.sent_at = State.SENT, now
        return
    try:
        entry.message, entry.state, entry.error = imip.message(invitation, now=now), State.WAITING, ""
    except imip.NotMailable as refused:
        entry.message, entry.state, entry.error = "", State.FAILED, refused.words


def _organizer(intent: Intent, event: Event) -> Organizer:
    """The user: as the calendar names them, with the name by which Tandem knows them."""
    owner = intent.calendar.account.owner
    if event.organizer is None:
        return Organizer(owner.email, owner.name)
    return Organizer(event.organizer.address, event.organizer.name or owner.name)
