"""CalDAV: RFC 4791 (calendars), 6578 (what changed), 6638 (scheduling), 6764 (finding the way)."""

from tandem.providers.caldav.provider import CalDavProvider

__all__ = ["CalDavProvider"]
