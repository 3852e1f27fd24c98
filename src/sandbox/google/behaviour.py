"""The sandbox's switches. The defaults are the hard case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(slots=True)
class Behaviour:
    short_pages: bool = True
    """Pages may be short or empty, and still carry a `nextPageToken`."""
    undetected_collisions: bool = False
    """An insert with an id that is taken makes a second event, under an id of Google's, instead of 409."""
    details_of_deleted: bool = False
    """Lists show what deleted events were, as Google documents for the organizer's calendar; only `id` is promised."""
    sync_token_life: timedelta = timedelta(days=28)
    tombstone_life: timedelta = timedelta(days=28)
    updated_min_life: timedelta = timedelta(days=28)
    testing_client: bool = False
    """The OAuth client is External and in Testing: refresh tokens end after 7 days."""
    require_pkce: bool = True
    require_state: bool = True
    require_send_updates: bool = False
    """Refuse writes that do not say `sendUpdates`. Google takes them; Tandem must never send one."""
    plain_callbacks: bool = True
    """Take push addresses of this machine without HTTPS."""
