"""The one lease: who may work on a calendar (or refresh a token) until when.

A conditional UPDATE with a token and an expiry, the same SQL on both databases. The job engine only
wakes workers; the lease is what keeps two of them apart. A worker that slept past its lease can do no
harm, for every save happens inside `guarding`, which fails once another holds the lease.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from tandem.mailboxes import models

Clock = Callable[[], datetime]
SECONDS = 120


class LeaseTaken(Exception):
    """Somebody else is at work on it. Nothing to do: they see to it."""


class LeaseLost(Exception):
    """The lease ran out and another worker took it. Stop at once; nothing was saved."""


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    token: str
    clock: Clock
    seconds: int = SECONDS

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """One transaction that commits only while the lease is ours, and renews it.

        Raises `LeaseLost` once another has taken it. One that ran out and that nobody took is ours still:
        a slow server must not keep its calendar from ever getting to the end of a page. The UPDATE takes
        the row's lock, so nobody takes the lease before the commit.
        """
        with transaction.atomic():
            now = self.clock()
            held = models.Lease.objects.filter(name=self.name, token=self.token, expires_at__isnull=False)
            if not held.update(expires_at=now + timedelta(seconds=self.seconds)):
                raise LeaseLost(self.name)
            yield


@contextmanager
def take(name: str, *, clock: Clock, seconds: int = SECONDS) -> Iterator[Lease]:
    """Hold the lease on `name` for the block. Raises `LeaseTaken` when another holds it."""
    now = clock()
    models.Lease.objects.get_or_create(name=name)
    token = secrets.token_hex(16)
    free = models.Lease.objects.filter(Q(expires_at=None) | Q(expires_at__lte=now), name=name)
    if not free.update(token=token, expires_at=now + timedelta(seconds=seconds)):
        raise LeaseTaken(name)
    try:
        yield Lease(name, token, clock, seconds)
    finally:
        models.Lease.objects.filter(name=name, token=token).update(expires_at=None)
