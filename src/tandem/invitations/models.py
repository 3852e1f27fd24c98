"""The ledger of every mail to a guest, and of every telling that a calendar server did for us."""

from __future__ import annotations

from django.db import models

from tandem.database.keys import new_id
from tandem.mailboxes.models import Sender
from tandem.meetings.models import Intent, Series
from tandem.team.models import User


class LedgerEntry(models.Model):
    """Who was told what, when, on whose word, by whom. Unique for an intent and a guest: never twice.

    `told_by` server entries record what the server was asked to do; Tandem's own carry the iMIP
    message until it is sent. `uncertain` means a crash fell between sending and noting it: such a
    mail is not sent again by itself.
    """

    class Method(models.TextChoices):
        REQUEST = "REQUEST"
        CANCEL = "CANCEL"

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        UNCERTAIN = "uncertain"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey(Intent, on_delete=models.CASCADE, related_name="ledger")
    series = models.ForeignKey(Series, null=True, on_delete=models.SET_NULL, related_name="ledger")
    recurrence_id = models.CharField(max_length=16, default="")
    address = models.CharField(max_length=254)
    method = models.CharField(max_length=10, choices=Method.choices)
    told_by = models.CharField(max_length=10, choices=Sender.choices)
    on_word_of = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    summary = models.CharField(max_length=300, default="")
    sequence = models.IntegerField(default=0)
    message = models.TextField(default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["intent", "address"], name="told_once_for_an_intent"),)
        indexes = (models.Index(fields=["state", "next_try_at"], name="ledger_to_send"),)

    def __str__(self) -> str:
        return f"{self.method} to {self.address}"
