"""The sample's company and its users, as data."""

from __future__ import annotations

from dataclasses import dataclass

COMPANY = "Northwind Advisory"
TIME_ZONE = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Teammate:
    """A user. `login` is the name at the calendar server; empty for one without calendars."""

    login: str
    name: str
    email: str
    role: str
    hue: str
    calendars: tuple[tuple[str, str, str], ...] = ()
    """(path, name, colour) of each; the first is the one that new meetings go to."""


ALICE = Teammate(
    "alice",
    "Alice Moreau",
    "alice@northwind.example",
    "administrator",
    "blue",
    (("client-meetings", "Client meetings", "#3b6fb6"), ("personal", "Personal", "#6b7280")),
)
BOB = Teammate("bob", "Bob Tanaka", "bob@northwind.example", "member", "ochre", (("work", "Work", "#b7791f"),))
INES = Teammate("", "Ines Duarte", "ines@northwind.example", "read-only", "plum")
TEAM = (ALICE, BOB, INES)
