"""What is done to users: made, changed, given addresses. Each verb is one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from tandem.team.models import HUES, Alias, Company, Role, User
from tandem.team.refusals import Invalid


@transaction.atomic
def set_up(*, name: str, email: str, password: str, company: str, time_zone: str) -> User:
    """The first user, an administrator, and the company's settings.

    Raises `Invalid` when there is a user already: two people opened the first-run page at once.
    """
    if User.objects.exists():
        raise Invalid("email", "Tandem was set up a moment ago. Sign in instead.")
    current = Company.current()
    current.name, current.time_zone = company, time_zone
    current.save(update_fields=["name", "time_zone"])
    return User.objects.create_user(email, name, password, role=Role.ADMINISTRATOR, time_zone=time_zone, hue=HUES[0])


@transaction.atomic
def add_user(*, name: str, email: str, role: str, time_zone: str) -> User:
    """A user without a password: a sign-in link lets them in. The hue least used so far becomes theirs.

    Raises `Invalid` when the address is somebody's already. `email` is normalised.
    """
    refuse_taken("email", {email}, but=None)
    used = list(User.objects.values_list("hue", flat=True))
    hue = min(HUES, key=used.count)
    return User.objects.create_user(email, name, None, role=role, time_zone=time_zone, hue=hue)


@transaction.atomic
def change_user(user: User, *, name: str, role: str, is_active: bool, aliases: Iterable[str]) -> bool:
    """Changes what an administrator keeps; answers whether the user's addresses are others now.

    `aliases` are normalised addresses. Only an administrator gives them, for whoever has an address
    sees the meetings it is invited to. Raises `Invalid` when nobody would be administrator any more,
    or when an address is another user's.
    """
    others = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exclude(id=user.id)
    if user.is_administrator and (role != Role.ADMINISTRATOR or not is_active) and not others.exists():
        raise Invalid("role", f"{user.name} is the only administrator. Make somebody else one first.")
    user.name, user.role, user.is_active = name, role, is_active
    user.save(update_fields=["name", "role", "is_active"])
    return keep_aliases(user, set(aliases) - {user.email})


def change_profile(user: User, *, name: str, time_zone: str) -> None:
    """Changes what users keep themselves."""
    user.name, user.time_zone = name, time_zone
    user.save(update_fields=["name", "time_zone"])


def keep_aliases(user: User, wanted: set[str]) -> bool:
    """Makes `wanted` the user's further addresses; whether that changed anything. Raises `Invalid`."""
    refuse_taken("aliases", wanted, but=user)
    kept = set(user.aliases.values_list("address", flat=True))
    user.aliases.filter(address__in=kept - wanted).delete()
    Alias.objects.bulk_create([Alias(user=user, address=address) for address in sorted(wanted - kept)])
    return kept != wanted


def refuse_taken(field: str, addresses: set[str], *, but: User | None) -> None:
    """Raises `Invalid` when one of `addresses` is the address or alias of a user other than `but`."""
    users = User.objects.filter(email__in=addresses)
    aliases = Alias.objects.filter(address__in=addresses).select_related("user")
    owners = [(user.email, user) for user in users] + [(alias.address, alias.user) for alias in aliases]
    for address, owner in owners:
        if but is None or owner.id != but.id:
            raise Invalid(field, f"{address} belongs to {owner.name} already.")
