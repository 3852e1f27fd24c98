"""A strict stand-in for Google's OAuth 2 and Calendar API v3, in memory, for tests and for `./start`.

It is stricter than the real thing, never kinder; docs/google-sandbox.md says, behaviour by behaviour, what
Google publishes and what is assumed. It imports nothing of the product.
"""

from sandbox.google.sandbox import GoogleSandbox

__all__ = ["GoogleSandbox"]
