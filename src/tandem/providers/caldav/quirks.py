"""What servers do otherwise than the RFCs say: one named function for each, with who does it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

_SAFE = "/@:!$&'()*+,;=~"
_UNTOLD = frozenset({400, 403, 404, 405, 409, 415, 422, 501})
_FORGOTTEN = frozenset({403, 409, 410, 412, 415, 418})


def path_of(href: str) -> str:
    """The decoded path of an href; servers give paths or whole URLs, quoted more or less (RFC 4918 8.3).

    An encoded slash stays encoded: decoded, it would be another path (Zimbra, Google).
    """
    path = urlsplit(href.strip()).path if "://" in href[:10] else href.strip()
    return "%2F".join(unquote(part) for part in re.split("%2[Ff]", path))


def is_readable(url: str) -> bool:
    """Whether `url` is a URL or a path at all. `http://[` is neither, an error wherever it is taken apart."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def quoted(path: str) -> str:
    """The inverse of `path_of`, for the request line."""
    return "%2F".join(quote(part, safe=_SAFE) for part in path.split("%2F"))


def same_version(one: str, other: str) -> bool:
    """Whether two ETags name one version: nginx weakens them when it compresses, Apache adds `-gzip`."""
    return bool(one) and bare_etag(one) == bare_etag(other)


def bare_etag(etag: str) -> str:
    return re.sub(r"(?:-gzip|;gzip|--gzip)(?=\"?$)", "", etag.strip().removeprefix("W/")).strip('"')


def condition(etag: str) -> str:
    """An ETag for If-Match, which compares strongly (RFC 9110 13.1.1): a weakened one would never match.

    Some servers leave out the quotes (old SOGo); in the condition they must stand.
    """
    return f'"{bare_etag(etag)}"'


def forgot_token(status: int, body: bytes) -> bool:
    """An unknown sync token is the precondition valid-sync-token (RFC 6578 3.2), but servers also answer
    409, 410, 412, 415 and 418, and some leave the precondition out."""
    return status in _FORGOTTEN or (400 <= status < 500 and b"valid-sync-token" in body)


def no_sync_collection(status: int) -> bool:
    """Servers without RFC 6578 refuse the report with one of these instead of `supported-report`."""
    return status in _UNTOLD


def no_multiget(status: int) -> bool:
    """Small servers do not know calendar-multiget, though RFC 4791 7.9 demands it."""
    return status in {400, 405, 501}


def crlf(text: str) -> str:
    """XML parsers turn CRLF into LF (XML 1.0 2.11), so a multiget's data has lost it; a PUT wants it back."""
    return re.sub(r"\r*\n", "\r\n", text)


def is_collection(path: str, calendar: str) -> bool:
    """Some servers list the calendar itself among its members, or sub-collections (Nextcloud, iCloud)."""
    return path.rstrip("/") == calendar.rstrip("/") or path.endswith("/")


def color(text: str) -> str:
    """`#rrggbb` from Apple's `#rrggbbaa`; '' for names and anything else."""
    match = re.match(r"#[0-9A-Fa-f]{6}", text.strip())
    return match.group().lower() if match else ""
