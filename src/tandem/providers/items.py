"""From a payload to a `RemoteItem` with events; a payload that can't be read is quarantined by name."""

from __future__ import annotations

from dataclasses import replace

from tandem.calendaring import ics
from tandem.calendaring.provider import RemoteItem


def understood(item: RemoteItem, default_zone: str) -> RemoteItem:
    """`item` with the events of its raw text, or with the problem that keeps it from being read."""
    try:
        events = ics.read(item.raw, default_zone=default_zone)
    except ics.Unreadable as error:
        return replace(item, problem=error.words)
    if len({event.uid for event in events}) > 1:
        # RFC 4791 4.1: a resource is one series. What belongs to what would be a guess.
        return replace(item, problem="It holds several events at once.")
    return replace(item, events=tuple(events))
