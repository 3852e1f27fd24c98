"""Google Calendar: API v3 over plain HTTP, with msgspec; the rules are those of "Handle API errors" and its guides."""

from tandem.providers.google.provider import GoogleProvider as GoogleProvider
