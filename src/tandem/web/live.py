"""Pages that keep themselves up to date (`static/tandem/live.js`): cheap to ask whether one has changed.

A live page's ETag stands for all that decides its parts: the news, the viewer, the address and the minute.
`live.js` asks with it, and while it stands gets 304 from one small query; nothing is rendered or written.
Browsers that go to the page by themselves are always shown it anew, for a page that was stored says things
once that must not be said twice ("Saved"), and has another nonce.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from zlib import crc32

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from tandem.team import news
from tandem.web.request import SignedInRequest

P = ParamSpec("P")
View = Callable[Concatenate[SignedInRequest, P], HttpResponse]
ASKS = "X-Tandem-Live"
SPREAD = 15


class NotModified:
    """Answers `live.js` with 304 where the page it has still stands.

    Before everything that reads the session: the cookie is part of the ETag, and the minute too, so
    that a viewer whose session or rights ended is let go on with what they have for a minute at most.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = request.headers.get("If-None-Match", "")
        if (
            request.method == "GET"
            and known
            and ASKS in request.headers
            and constant_time_compare(known, etag(request))
        ):
            return _private(HttpResponse(status=304), known)
        return self.get_response(request)


def page(view: View[P]) -> Callable[..., HttpResponse]:
    """Gives a whole page its ETag; the page itself has it as `request.etag`, for `live.js` to ask with.

    It is taken before the view reads anything: what is written meanwhile makes it out of date.
    """

    @wraps(view)
    def tagged(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "GET" or request.htmx:
            return view(request, *args, **kwargs)
        request.etag = etag(request)
        if ASKS in request.headers:
            # What is said once ("Saved") waits for the page that its reader goes to.
            request.__dict__.pop("_messages", None)
        response = view(request, *args, **kwargs)
        return _private(response, request.etag) if response.status_code == 200 else response

    return tagged


def etag(request: HttpRequest) -> str:
    """The ETag of a live page for whoever asks, as of now. Nobody can make one, or use another viewer's."""
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    # Not all open pages at the same second.
    minute = (int(timezone.now().timestamp()) - crc32(session.encode()) % SPREAD) // 60
    parts = (session, request.get_full_path(), minute, *news.version())
    return f'"{salted_hmac("tandem.web.live", repr(parts)).hexdigest()}"'


def _private(response: HttpResponse, tag: str) -> HttpResponse:
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    return response
