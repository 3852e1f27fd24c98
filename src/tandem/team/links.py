"""Links that sign a user in once. Only a hash of the token is stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from tandem.team.models import SignInLink, User

LASTS = timedelta(days=2)


def create(user: User, *, now: datetime, lasts: timedelta = LASTS) -> str:
    """A new token for `user`, valid until `now + lasts`. Expired links of anyone are cleared away."""
    SignInLink.objects.filter(expires_at__lte=now).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(token_hash=hash_of(token), user=user, expires_at=now + lasts)
    return token


def peek(token: str, *, now: datetime) -> User | None:
    """Whose link this is, without using it up: link previews open it too. None for a used or expired one."""
    link = (
        SignInLink.objects.filter(token_hash=hash_of(token), expires_at__gt=now, user__is_active=True)
        .select_related("user")
        .first()
    )
    return link.user if link else None


def redeem(token: str, *, now: datetime) -> User | None:
    """Uses the link up and answers its user; None when it was used, or is expired or unknown."""
    user = peek(token, now=now)
    if user is None:
        return None
    # the row's deletion is the claim: of two clicks at once, one deletes it
    deleted, _ = SignInLink.objects.filter(token_hash=hash_of(token)).delete()
    return user if deleted else None


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
