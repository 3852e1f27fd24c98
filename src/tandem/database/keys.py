"""Keys made by the application: UUIDv7 (RFC 9562), so that new rows lie side by side in the index."""

from __future__ import annotations

import uuid

import uuid6


def new_id() -> uuid.UUID:
    return uuid.UUID(int=uuid6.uuid7().int)
