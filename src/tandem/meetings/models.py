"""What each calendar says (RemoteObject, Copy), what people want (Intent), and what follows from both.

Series, Meeting, Occurrence and Participant are derived: `projection.refresh` makes them from the
copies and the open intents. See docs/glossary.md for the terms.
"""

from __future__ import annotations

from django.db import models

from tandem.crm.models import Record
from tandem.database.keys import new_id
from tandem.mailboxes.models import Account, Calendar
from tandem.team.models import User


class Series(models.Model):
    """What several mailboxes' copies have in common; a single meeting is a series of one.

    Its key is `calendaring.identity.SeriesKey`. `projected_until` says how far its occurrences reach.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    uid = models.CharField(max_length=1024)
    organizer = models.CharField(max_length=254, default="")
    scope = models.CharField(max_length=36, default="")
    endless_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["uid", "organizer", "scope"], name="series_key"),)
        indexes = (models.Index(fields=["endless_until"], name="series_to_roll_on"),)

    def __str__(self) -> str:
        return self.uid


class RemoteObject(models.Model):
    """What a calendar holds as one thing: raw payload and version, and why it could not be read."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="remote_objects")
    remote_id = models.CharField(max_length=1024)
    etag = models.CharField(max_length=300)
    schedule_tag = models.CharField(max_length=300, default="")
    raw = models.TextField()
    problem = models.CharField(max_length=500, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["calendar", "remote_id"], name="remote_object_key"),)

    def __str__(self) -> str:
        return self.remote_id


class Meeting(models.Model):
    """The one meeting behind the copies: a series' master, a single event, or an override.

    `authority` is sticky. `shown` is the authority copy with the open intents on it, in canonical
    JSON: what pages and search read. `title`, `status`, `private` and `organizer` repeat parts of it
    for queries. `state` is `unseen` when the last copy went away without a cancellation.
    """

    class State(models.TextChoices):
        LIVE = "live"
        CANCELLED = "cancelled"
        UNSEEN = "unseen"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="meetings")
    recurrence_id = models.CharField(max_length=16, default="")
    authority = models.ForeignKey(
        "Copy", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.LIVE)
    shown = models.TextField()
    title = models.CharField(max_length=1000, default="")
    private = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["series", "recurrence_id"], name="meeting_key"),)

    def __str__(self) -> str:
        return self.title


class Copy(models.Model):
    """One event inside a remote object, in canonical form. A skipped one says why (`skip`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    remote_object = models.ForeignKey(RemoteObject, on_delete=models.CASCADE, related_name="copies")
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="copies")
    meeting = models.ForeignKey(Meeting, null=True, blank=True, on_delete=models.SET_NULL, related_name="copies")
    recurrence_id = models.CharField(max_length=16, default="")
    content = models.TextField()
    version = models.PositiveSmallIntegerField()
    skip = models.CharField(max_length=30, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["remote_object", "recurrence_id"], name="copy_key"),)

    def __str__(self) -> str:
        return f"{self.remote_object_id}/{self.recurrence_id}"


class Occurrence(models.Model):
    """One time at which a meeting takes place. Rebuilt from the series at any time.

    `original_start` is the canonical recurrence id of the slot it fills, empty for a single event.
    `starts_on` and `ends_on` (exclusive) are set for all-day ones, whose instants are in company zone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="occurrences")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="occurrences")
    original_start = models.CharField(max_length=16, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    cancelled = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["series", "original_start"], name="occurrence_key"),)
        indexes = (models.Index(fields=["starts_at"], name="occurrence_by_start"),)

    def __str__(self) -> str:
        return f"{self.series_id}@{self.original_start}"


class Participant(models.Model):
    """An address that takes part in an occurrence, the organizer's included.

    `starts_at` repeats the occurrence's, so that "the meetings of these addresses, by time" is one
    index range.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    address = models.CharField(max_length=254)
    starts_at = models.DateTimeField()
    occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, related_name="participants")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["occurrence", "address"], name="participant_key"),)
        indexes = (models.Index(fields=["address", "starts_at"], name="participant_by_time"),)

    def __str__(self) -> str:
        return self.address


class Pin(models.Model):
    """A link made (or refused) by hand between a record and a series or one of its occurrences.

    Sync never undoes it. `original_start` empty means the whole series.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="pins")
    original_start = models.CharField(max_length=16, default="")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="pins")
    refused = models.BooleanField(default=False)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["series", "original_start", "record"], name="pin_once"),)

    def __str__(self) -> str:
        return f"{self.record_id} {'not ' if self.refused else ''}on {self.series_id}"


class HandOff(models.Model):
    """A meeting that a person makes on the calendar service's own page, from a record here.

    When the event arrives in `account`, it is pinned to `record` (`handoffs.claim`), so that it lands on
    that very opportunity. `guests` are the addresses that were filled in, one a line; `link` is the address of
    that page. Nothing is claimed after `expires_at`. `series` is what came; `closed_at` says that its author
    need hear no more of it, which a meeting that came into another account of theirs does not set.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="hand_offs")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="hand_offs")
    author = models.ForeignKey(User, on_delete=models.CASCADE)
    guests = models.TextField(default="")
    title = models.CharField(max_length=1000, default="")
    link = models.TextField(default="")
    starts_at = models.DateTimeField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.SET_NULL, related_name="hand_offs")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["account", "closed_at"], name="hand_off_open"),)

    def __str__(self) -> str:
        return f"hand-off for {self.record_id}"


class Intent(models.Model):
    """What a person wants and a calendar does not hold yet.

    `changes` is JSON `{field: [was, becomes]}` (see `calendaring.fields`), for the event named by
    `recurrence_id` in `remote_id` of `calendar`. A create carries the whole event in `event` and the
    id we chose; `uid` is the one it was asked under, for a service may give the event another. `tell`
    says whether guests are told, on the author's word; `missing_since` when its event was first found gone
    from the calendar. Nothing is ever dropped: an intent ends
    confirmed, or refused, or withdrawn by a person.
    """

    class Verb(models.TextChoices):
        CREATE = "create"
        CHANGE = "change"
        CANCEL = "cancel"

    class State(models.TextChoices):
        OPEN = "open"
        CONFLICT = "conflict"
        CONFIRMED = "confirmed"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        RESTORABLE = "restorable"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    verb = models.CharField(max_length=10, choices=Verb.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="intents")
    meeting = models.ForeignKey(Meeting, null=True, on_delete=models.SET_NULL, related_name="intents")
    remote_id = models.CharField(max_length=1024)
    recurrence_id = models.CharField(max_length=16, default="")
    changes = models.TextField(default="{}")
    conflicts = models.TextField(default="{}")
    event = models.TextField(default="")
    uid = models.CharField(max_length=1024, blank=True, default="")
    tell = models.BooleanField(default=False)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, default="")

    class Meta:
        indexes = (
            models.Index(fields=["calendar", "state", "next_try_at"], name="intent_due"),
            models.Index(fields=["meeting", "state"], name="intent_of_meeting"),
            models.Index(fields=["uid"], name="intent_by_uid"),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.remote_id} ({self.state})"
