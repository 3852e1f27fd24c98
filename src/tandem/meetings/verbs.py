"""What a person can do with meetings. Each verb commits one intent, and nothing else leaves here.

Delivery is sync's: the caller wakes the calendar's job once the transaction is committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import msgspec
from django.db import transaction

from tandem.calendaring import event as canonical
from tandem.calendaring import fields
from tandem.calendaring.event import Event, Organizer
from tandem.calendaring.identity import series_key
from tandem.calendaring.reschedule import CannotMove
from tandem.crm.models import Record
from tandem.mailboxes.models import AccountState, Calendar
from tandem.mailboxes.rights import me
from tandem.meetings import pins, projection, whole_series
from tandem.meetings.models import Copy, Intent, Meeting, Pin, RemoteObject, Series
from tandem.meetings.reading import occurrence_event, why_not_editable, writing_calendar
from tandem.meetings.wishes import LIVE, changes_of, conflicts_of, dump
from tandem.team import news
from tandem.team.models import User
from tandem.team.refusals import Invalid as Invalid
from tandem.team.refusals import NotAllowed as NotAllowed

Scope = Literal["this", "all"]
NEW = "new:"
"""A remote id that starts so is chosen by the provider when the create is first delivered."""


def new_uid() -> str:
    """A UID that no other event has (RFC 7986 5.3: a random UUID, nothing about this machine)."""
    return str(uuid4())


def targets(user: User) -> list[Calendar]:
    """The calendars that can take a new event of `user`, the default target first."""
    rows = Calendar.objects.filter(account__owner=user, writable=True, gone=False, is_read=True)
    rows = rows.exclude(account__state=AccountState.DISCONNECTED).select_related("account__owner")
    return list(rows.order_by("-is_target", "account__created_at", "name"))


def organizer_address(calendar: Calendar) -> str:
    """The address under which meetings of this calendar invite: its own where it has one, else the
    sign-in address if it is the account's."""
    account = calendar.account
    if calendar.organizer:
        return calendar.organizer
    if account.owner.email in account.addresses or not account.addresses:
        return account.owner.email
    return account.addresses_text.split()[0]


def schedule(
    author: User, calendar: Calendar, event: Event, *, tell: bool, record: Record | None, now: datetime
) -> Meeting:
    """A new meeting, shown at once and sent to `calendar`. The same UID a second time gives the first one.

    With guests the author becomes the organizer. It is on `record` then, and on the one that was chosen of a
    contact's several opportunities (`pins.put_on`).
    Raises `NotAllowed` and `Invalid`.
    """
    if not author.may_edit:
        raise NotAllowed("Your role is read-only, so meetings can't be created.")
    if calendar.account.owner_id != author.id:
        raise NotAllowed(f"{calendar.name} is a calendar of {calendar.account.owner.name}.")
    calendar.refresh_from_db(fields=["writable", "gone", "is_read"])
    if not calendar.writable:
        raise NotAllowed(f"{calendar.name} may only be read, not changed.")
    if calendar.gone or not calendar.is_read or calendar.account.state == AccountState.DISCONNECTED:
        raise NotAllowed(f"{calendar.name} is no longer connected, so nothing new can be put there.")
    event = _organized(msgspec.structs.replace(event, uid=event.uid or new_uid()), calendar)
    _check(event)
    with transaction.atomic():
        earlier = Intent.objects.filter(verb=Intent.Verb.CREATE, author=author, uid=event.uid).first()
        if earlier is not None and earlier.meeting is not None:
            return earlier.meeting
        key = series_key(event, calendar_id=str(calendar.id), remote_object_id="")
        series = Series.objects.create(uid=key.uid, organizer=key.organizer, scope=key.scope)
        shown = canonical.encode(event)
        meeting = Meeting.objects.create(series=series, shown=shown, title=event.title[:1000], private=event.private)
        Intent.objects.create(
            verb=Intent.Verb.CREATE,
            calendar=calendar,
            meeting=meeting,
            remote_id=NEW + event.uid,
            uid=event.uid,
            event=shown,
            tell=tell and bool(event.guests),
            author=author,
            created_at=now,
        )
        if record is not None:
            pins.put_on(record, series.id, event.addresses, author=author)
        projection.refresh([series.id], now=now)
    return meeting


def _organized(event: Event, calendar: Calendar, *, was: Event | None = None) -> Event:
    """With guests, the author is the organizer, and is not made a guest of their own meeting.

    Where `was` lists them as one already, as some calendars do, they stay.
    """
    if not event.guests:
        return event
    account = calendar.account
    address = organizer_address(calendar)
    mine = me(account) - (was.addresses if was is not None else frozenset())
    guests = tuple(sorted((g for g in event.guests if g.address not in mine), key=lambda guest: guest.address))
    organizer = event.organizer or (Organizer(address, account.owner.name) if guests else None)
    return msgspec.structs.replace(event, organizer=organizer, guests=guests)


def _check(event: Event) -> None:
    if event.when is None:
        raise Invalid("when", "A meeting needs a start and an end.")
    if not 1900 <= event.when.first_day.year <= event.when.end_day.year <= 9990:
        raise Invalid("when", "A meeting must be between the years 1900 and 9990, and end after it starts.")
    if event.when.ends_at("UTC") < event.when.starts_at("UTC"):
        raise Invalid("when", "The meeting ends before it starts.")
    if event.when.all_day and event.when.end_day <= event.when.first_day:
        raise Invalid("when", "The meeting ends before it starts.")


def change(
    author: User,
    meeting: Meeting,
    original_start: str,
    was: Event,
    becomes: Event,
    *,
    tell: bool,
    now: datetime,
    scope: Scope = "this",
) -> Intent | None:
    """Make `was`, as the author saw it, into `becomes`; None when nothing differs.

    For a series `scope` says whether one occurrence or all of them change; both events are then the
    occurrence's, a moved time moves the whole series by as much, and occurrences that were edited by
    themselves follow where they still say what the author saw; the series' own intent is the answer.
    Raises `NotAllowed` and `Invalid`.
    """
    with transaction.atomic():
        target, recurrence_id, calendar = _target(author, meeting, original_start, scope, was)
        _check(becomes)
        changes = fields.diff(was, _organized(becomes, calendar, was=was))
        if scope == "all" and original_start:
            wanted = [(target, _of_master(changes, target)), *whole_series.of_overrides(changes, target)]
        else:
            wanted = [(target, {k: v for k, v in changes.items() if not recurrence_id or k != "recurrence"})]
        intents = [
            Intent.objects.create(
                verb=Intent.Verb.CHANGE,
                calendar=calendar,
                meeting=changed,
                remote_id=_remote_id(changed),
                recurrence_id=changed.recurrence_id,
                changes=dump(its_changes),
                tell=tell,
                author=author,
                created_at=now,
            )
            for changed, its_changes in wanted
            if its_changes
        ]
        projection.refresh([target.series_id], now=now)
    return intents[0] if intents else None


def cancel(
    author: User, meeting: Meeting, original_start: str, *, tell: bool, now: datetime, scope: Scope = "this"
) -> Intent:
    """Take the meeting (or one occurrence, or the whole series) out of the calendar. Raises `NotAllowed`."""
    with transaction.atomic():
        override = Meeting.objects.filter(series=meeting.series_id, recurrence_id=original_start).first()
        seen = occurrence_event(override or meeting, original_start)
        if seen is None:
            raise NotAllowed("This occurrence is no longer part of the series.")
        target, recurrence_id, calendar = _target(author, meeting, original_start, scope, seen)
        if scope == "all" and original_start:
            seen = canonical.decode(target.shown)
        remote_id = _remote_id(target)
        Intent.objects.filter(meeting=target, state=Intent.State.REFUSED).update(state=Intent.State.WITHDRAWN)
        intent = Intent.objects.create(
            verb=Intent.Verb.CANCEL,
            calendar=calendar,
            meeting=target,
            remote_id=remote_id,
            recurrence_id=recurrence_id,
            event=canonical.encode(seen),
            tell=tell,
            author=author,
            created_at=now,
        )
        projection.refresh([target.series_id], now=now)
    return intent


def decide(
    author: User, intent: Intent, choices: Mapping[str, Literal["mine", "theirs"]], *, tell: bool, now: datetime
) -> None:
    """Settle a conflict field by field: mine is written over theirs, theirs drops mine. Raises `NotAllowed`."""
    with transaction.atomic():
        _own(author, intent)
        changes, conflicts = changes_of(intent), conflicts_of(intent)
        if intent.state not in LIVE or not conflicts:
            raise NotAllowed("This has been decided already.")
        if intent.verb == Intent.Verb.CANCEL:
            _decide_cancel(intent, "mine" in choices.values())
        else:
            for name, choice in choices.items():
                if name not in conflicts:
                    continue
                theirs = conflicts.pop(name)
                if choice == "mine":
                    changes[name] = (theirs, changes[name][1])
                else:
                    del changes[name]
            intent.changes, intent.conflicts = dump(changes), dump(conflicts)
            left = any(name not in conflicts for name in changes)
            waiting = Intent.State.CONFLICT if conflicts else Intent.State.WITHDRAWN
            intent.state = Intent.State.OPEN if left else waiting
        intent.tell, intent.next_try_at, intent.error = tell, None, ""
        intent.save(update_fields=["changes", "conflicts", "state", "event", "tell", "next_try_at", "error"])
        _refresh(intent, now)


def _decide_cancel(intent: Intent, mine: bool) -> None:
    """To cancel all the same is to have seen what the calendar says now."""
    intent.conflicts = "{}"
    intent.state = Intent.State.OPEN if mine else Intent.State.WITHDRAWN
    if mine and intent.meeting is not None:
        copy = Copy.objects.filter(id=intent.meeting.authority_id).first() if intent.meeting.authority_id else None
        intent.event = copy.content if copy else ""


def withdraw(author: User, intent: Intent, *, now: datetime) -> None:
    """Take an edit back that no calendar holds yet. Raises `NotAllowed`."""
    with transaction.atomic():
        _own(author, intent)
        if intent.state not in (*LIVE, Intent.State.REFUSED, Intent.State.RESTORABLE):
            raise NotAllowed("This edit has already reached the calendar.")
        intent.state = Intent.State.WITHDRAWN
        intent.save(update_fields=["state"])
        _refresh(intent, now)


def retry(author: User, intent: Intent, *, now: datetime) -> None:
    """Try a refused or waiting edit again, now. Raises `NotAllowed`."""
    with transaction.atomic():
        _own(author, intent)
        if intent.state not in (Intent.State.OPEN, Intent.State.REFUSED):
            raise NotAllowed("There is nothing to try again.")
        intent.state, intent.next_try_at, intent.error = Intent.State.OPEN, None, ""
        intent.save(update_fields=["state", "next_try_at", "error"])
        _refresh(intent, now)


def restore(author: User, intent: Intent, *, tell: bool, now: datetime) -> Meeting:
    """Make the meeting anew that was cancelled under an edit, with the edit on it. Raises `NotAllowed`."""
    with transaction.atomic():
        _own(author, intent)
        if intent.state != Intent.State.RESTORABLE or intent.meeting is None:
            raise NotAllowed("There is nothing to bring back.")
        event = fields.overlay(canonical.decode(intent.meeting.shown), changes_of(intent))
        event = msgspec.structs.replace(event, uid=new_uid(), recurrence_id="", status="confirmed", sequence=0)
        meeting = schedule(author, intent.calendar, event, tell=tell, record=None, now=now)
        for pin in Pin.objects.filter(series=intent.meeting.series_id):
            kept = {"author": author, "refused": pin.refused}
            Pin.objects.get_or_create(series_id=meeting.series_id, record=pin.record, defaults=kept)
        intent.state = Intent.State.WITHDRAWN
        intent.save(update_fields=["state"])
        projection.refresh([meeting.series_id, intent.meeting.series_id], now=now)
    return meeting


def _own(author: User, intent: Intent) -> None:
    """Whose it is to settle; `intent` is read anew and locked, for sync may have settled it meanwhile."""
    Intent.objects.select_for_update().filter(id=intent.id).first()
    intent.refresh_from_db()
    if intent.calendar.account.owner_id != author.id:
        raise NotAllowed(f"This waits for {intent.calendar.account.owner.name} to decide.")
    if not author.may_edit:
        raise NotAllowed("Your role is read-only, so meetings can't be changed.")


def _refresh(intent: Intent, now: datetime) -> None:
    """What follows from the intent's new state, on open pages too."""
    news.mark()
    if intent.meeting is not None:
        projection.refresh([intent.meeting.series_id], now=now)


def _target(
    author: User, meeting: Meeting, original_start: str, scope: Scope, seen: Event
) -> tuple[Meeting, str, Calendar]:
    """The meeting row, recurrence id and calendar that an edit goes to. Raises `NotAllowed`."""
    master = Meeting.objects.filter(series=meeting.series_id, recurrence_id="").first()
    if original_start and scope == "all" and master is not None:
        target, recurrence_id = master, ""
    elif original_start:
        target, _ = Meeting.objects.get_or_create(
            series_id=meeting.series_id,
            recurrence_id=original_start,
            defaults={"shown": canonical.encode(seen), "title": seen.title[:1000], "private": seen.private},
        )
        recurrence_id = original_start
    else:
        target, recurrence_id = meeting, meeting.recurrence_id
    calendar = writing_calendar(target)
    words = why_not_editable(calendar, seen, author)
    if words or calendar is None:
        raise NotAllowed(words)
    return target, recurrence_id, calendar


def _remote_id(meeting: Meeting) -> str:
    """The remote object that holds the meeting, or its master, or will once its create is delivered."""
    held = Meeting.objects.filter(series=meeting.series_id, recurrence_id__in=["", meeting.recurrence_id])
    for candidate in held.order_by("-recurrence_id"):
        if candidate.authority_id:
            held_in = RemoteObject.objects.filter(copies=candidate.authority_id).first()
            if held_in is not None:
                return held_in.remote_id
        waiting = candidate.intents.filter(verb=Intent.Verb.CREATE, state__in=(*LIVE, Intent.State.REFUSED)).first()
        if waiting is not None:
            return waiting.remote_id
    raise NotAllowed("No connected calendar holds this meeting any more.")


def _of_master(changes: dict[str, fields.Change], master: Meeting) -> dict[str, fields.Change]:
    try:
        return whole_series.of_master(changes, master)
    except CannotMove as error:
        raise Invalid("when", error.words) from error


def intent_of(author: User, intent_id: UUID) -> Intent:
    """An intent that waits for this user. Raises `Intent.DoesNotExist`."""
    rows = Intent.objects.select_related("calendar__account__owner", "meeting", "author")
    return rows.get(id=intent_id, calendar__account__owner=author)
