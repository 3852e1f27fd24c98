"""How often somebody tried to sign in: the limit against guessing passwords (OWASP ASVS 2.2.1)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from tandem.team.models import SignInTry

LIMIT = 10
WINDOW = timedelta(minutes=15)


def blocked_until(address: str, ip: str, *, now: datetime) -> datetime | None:
    """When this address may be tried again from this IP; None when it may be tried now."""
    tries = SignInTry.objects.filter(key=key_of(address, ip), at__gt=now - WINDOW).order_by("-at")
    times = list(tries.values_list("at", flat=True)[:LIMIT])
    return times[-1] + WINDOW if len(times) == LIMIT else None


def count(address: str, ip: str, *, now: datetime) -> None:
    """Notes one failed try, and clears away everybody's old ones."""
    SignInTry.objects.filter(at__lte=now - WINDOW).delete()
    SignInTry.objects.create(key=key_of(address, ip), at=now)


def forget(address: str, ip: str) -> None:
    """A right password starts the count anew."""
    SignInTry.objects.filter(key=key_of(address, ip)).delete()


def key_of(address: str, ip: str) -> str:
    return hashlib.sha256(f"{address}\n{ip}".encode()).hexdigest()
