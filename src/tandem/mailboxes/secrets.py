"""Passwords and tokens at rest: encrypted with the installation's keys, the newest first."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretLost(Exception):
    """The key that encrypted this secret is gone: the account must be connected anew."""


def seal(plain: str) -> str:
    """`plain` encrypted, as text for the database."""
    return _fernet().encrypt(plain.encode()).decode()


def unseal(sealed: str) -> str:
    """What `seal` was given. Raises `SecretLost` when none of the installation's keys fits."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretLost("The key for this account's password is not in this installation.") from error


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])
