"""Accounts that users connected, and the calendars in them."""

from __future__ import annotations

from django.db import models

from tandem.database.keys import new_id
from tandem.team.models import User


class Sender(models.TextChoices):
    """Who mails guests of meetings in an account: asked once when it is connected."""

    TANDEM = "tandem", "Tandem"
    SERVER = "server", "The calendar server"


class AccountState(models.TextChoices):
    ACTIVE = "active", "In sync"
    RECONNECT = "reconnect", "Reconnect"
    DISCONNECTED = "disconnected", "Disconnected"


class Account(models.Model):
    """A user's account at a calendar service.

    `secret` is encrypted (`secrets.py`): a password, or for Google the JSON of its tokens (`sync.tokens`).
    `addresses` are the owner's at that service, normalised, one a
    line: with the user's own addresses they are "me". `subject_id` is the service's own name for the
    account, by which reconnecting finds it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="accounts")
    provider = models.CharField(max_length=20)
    name = models.CharField(max_length=254)
    url = models.CharField(max_length=1000)
    endpoint = models.CharField(max_length=1000, blank=True, default="")
    username = models.CharField(max_length=254)
    secret = models.TextField()
    subject_id = models.CharField(max_length=1000)
    addresses_text = models.TextField(blank=True, default="")
    invitations_by = models.CharField(max_length=10, choices=Sender.choices, default=Sender.TANDEM)
    state = models.CharField(max_length=12, choices=AccountState.choices, default=AccountState.ACTIVE)
    error = models.CharField(max_length=500, blank=True, default="")
    error_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["owner", "provider", "subject_id"], name="account_once_for_a_user"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def addresses(self) -> frozenset[str]:
        """The owner's addresses at this service alone; `rights.me` adds the user's own."""
        return frozenset(self.addresses_text.split())


class Calendar(models.Model):
    """One calendar of an account, and how far sync has come with it.

    `requested` counts every reason to look (a click, an edit, a webhook); `done` is the value it had
    when the last finished look began, so work is due while they differ. `generation` counts full
    readings: a remote object that the newest one did not meet is gone, once that is confirmed.
    `organizer` is the address under which its events invite, where that is not the account's (Google).
    `held` says why a brake stopped this calendar; empty when none did. `held_removal` says that it was
    a look that would have removed many events, and `removal_allowed` is a person's word that the next may.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="calendars")
    remote_id = models.CharField(max_length=1000)
    name = models.CharField(max_length=300)
    hue = models.CharField(max_length=10, default="blue")
    zone = models.CharField(max_length=64, blank=True, default="")
    organizer = models.CharField(max_length=254, blank=True, default="")
    writable = models.BooleanField(default=True)
    is_read = models.BooleanField(default=False)
    is_target = models.BooleanField(default=False)
    counts_others = models.BooleanField(default=False)
    gone = models.BooleanField(default=False)

    cursor = models.TextField(null=True, blank=True)
    generation = models.PositiveIntegerField(default=0)
    requested = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True)
    window_read = models.BooleanField(default=False)
    read_count = models.PositiveIntegerField(default=0)
    read_total = models.PositiveIntegerField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_full_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True, default="")
    error_since = models.DateTimeField(null=True, blank=True)
    held = models.CharField(max_length=500, blank=True, default="")
    held_removal = models.BooleanField(default=False)
    removal_allowed = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "remote_id"], name="calendar_once_in_an_account"),)
        indexes = (models.Index(fields=["is_read", "next_poll_at"], name="calendar_due"),)

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """A push channel: what the service calls us by when the calendar changed (Google, "Push notifications").

    `token` is what its calls must carry, `address` where they go: PUBLIC_URL may be another since. A channel
    can't be renewed: a new one is opened before the old one ends, and `stopped_at` marks the old one, whose last
    calls may still come.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="channels")
    token = models.CharField(max_length=64)
    address = models.CharField(max_length=1000, default="")
    resource_id = models.CharField(max_length=300, blank=True, default="")
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["calendar", "expires_at"], name="channel_of_calendar"),)

    def __str__(self) -> str:
        return f"channel of {self.calendar_id} until {self.expires_at}"


class Lease(models.Model):
    """The one lease primitive: who may work on `name` until when. See `lease.py`."""

    name = models.CharField(primary_key=True, max_length=100)
    token = models.CharField(max_length=32, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
