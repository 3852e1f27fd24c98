"""Users of the company, the addresses that are theirs, and the settings everyone shares."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from tandem.calendaring.horizon import DEFAULT_HOURS
from tandem.calendaring.identity import normalise_address
from tandem.database.keys import new_id

HUES = ("blue", "ochre", "rose", "plum", "moss", "teal")


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    MEMBER = "member", "Member"
    READ_ONLY = "read-only", "Read-only"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, name: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normalise_address(email), name=name, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in. `hue` colours their avatar and first calendar everywhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.MEMBER)
    time_zone = models.CharField(max_length=64, default="UTC")
    hue = models.CharField(max_length=10, default="blue")
    is_active = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_administrator(self) -> bool:
        return self.role == Role.ADMINISTRATOR

    @property
    def may_edit(self) -> bool:
        """Whether this user may change records and meetings at all."""
        return self.role != Role.READ_ONLY

    @property
    def initials(self) -> str:
        parts = self.name.split()
        return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper()

    def addresses(self) -> frozenset[str]:
        """The sign-in address and every alias, normalised: what counts as "me"."""
        return frozenset({self.email, *self.aliases.values_list("address", flat=True)})


class Alias(models.Model):
    """A further address of a user. One address belongs to one user at most."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="aliases")
    address = models.CharField(max_length=254, unique=True)

    def __str__(self) -> str:
        return self.address


class SignInLink(models.Model):
    """A link that signs a user in once, until it expires. Only a hash of its token would outlive a leak,
    so the token itself is not stored."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class SignInTry(models.Model):
    """One failed sign-in. `key` hashes the address and the IP it came from; see `tries.py`."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["key", "at"], name="sign_in_try_by_key"),)

    def __str__(self) -> str:
        return f"{self.key[:8]} at {self.at}"


class Company(models.Model):
    """The one row of settings for the whole company, and this installation's identity.

    `installation_id` is compared with the one in the data folder: a restored backup or a cloned
    database differs and starts with `writing_held` (engine.md, brakes). `rolled_at` is when records'
    last and next meetings were last rolled on with the time; `projected_with` names the time zone data
    and the zone that occurrences were worked out with. `google_client_secret` is sealed
    (`mailboxes.secrets`). `push_problem` says why services can't call us at PUBLIC_URL, as tested last.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=200, default="Tandem")
    time_zone = models.CharField(max_length=64, default="UTC")
    horizon_hours = models.PositiveIntegerField(default=DEFAULT_HOURS)
    installation_id = models.CharField(max_length=64, default=secrets.token_hex)
    writing_held = models.BooleanField(default=False)
    held_reason = models.CharField(max_length=300, blank=True, default="")
    projected_with = models.CharField(max_length=100, blank=True, default="")
    rolled_at = models.DateTimeField(null=True, blank=True)
    is_sample = models.BooleanField(default=False)
    google_client_id = models.CharField(max_length=200, blank=True, default="")
    google_client_secret = models.TextField(blank=True, default="")
    push_tested_at = models.DateTimeField(null=True, blank=True)
    push_problem = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Company:
        company, _ = cls.objects.get_or_create(id=1)
        return company


class News(models.Model):
    """A mark that something which open pages show became another. See `news.py`."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"news {self.id}"


ACTIVE = timedelta(minutes=15)


def was_active(user: User, now: datetime) -> bool:
    """Whether the user looked at a page lately: their calendars are then polled often."""
    return user.last_seen_at is not None and user.last_seen_at > now - ACTIVE


def anyone_active(now: datetime) -> bool:
    """Whether any user looked at a page lately."""
    return User.objects.filter(last_seen_at__gt=now - ACTIVE).exists()


__all__ = ["HUES", "Alias", "Company", "News", "Role", "SignInLink", "SignInTry", "User", "anyone_active", "was_active"]
