"""Who may see what of a meeting: the one table for every surface.

    viewer                                          linked      not linked   private
    owner of a copy, or on the authority's guests   details     details      details
    any other colleague, the administrator too      outline     busy         busy

Details: everything. Outline: time, title, and the guests who are in the CRM. Busy: time and whose.
On record pages, search and last/next columns a meeting that is only busy is absent, for there its
very presence would tell with whom it is; on calendar pages it shows as busy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tandem.calendaring.event import Event


class Level(StrEnum):
    DETAILS = "full"
    OUTLINE = "masked"
    BUSY = "busy"


class Hidden(Exception):
    """The viewer may not open this meeting. `words` says why; `level` what they may still see."""

    def __init__(self, words: str, level: Level) -> None:
        super().__init__(words)
        self.words = words
        self.level = level


@dataclass(frozen=True, slots=True)
class Facts:
    """What the table is asked with. `owners` are the users who hold a copy that counts."""

    owners: frozenset[UUID]
    authority_addresses: frozenset[str]
    linked: bool
    private: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in user. `addresses` are the sign-in address and the aliases an administrator gave."""

    id: UUID
    addresses: frozenset[str]


def level(viewer: Viewer, facts: Facts) -> Level:
    """The table above. Roles play no part: administrators see no more than colleagues."""
    if viewer.id in facts.owners or not viewer.addresses.isdisjoint(facts.authority_addresses):
        return Level.DETAILS
    if facts.private or not facts.linked:
        return Level.BUSY
    return Level.OUTLINE


def guests_seen(event: Event, seen: Level, known: frozenset[str]) -> frozenset[str]:
    """The addresses on `event` that a viewer at this level may see; `known` are those in the CRM or of users."""
    if seen is Level.DETAILS:
        return event.addresses
    if seen is Level.OUTLINE:
        return event.addresses & known
    return frozenset()
