"""Puts the sample's calendars on the server by plain HTTP, as any program could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import httpx2

from sandbox.events import Resource
from sandbox.team import Teammate

_CALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/">
<D:set><D:prop><D:displayname>{name}</D:displayname><A:calendar-color>{colour}</A:calendar-color>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
</D:prop></D:set></C:mkcalendar>"""


class UploadFailed(Exception):
    """What the calendar server would not take, and what it said."""


def upload(url: str, passwords: Mapping[str, str], team: Sequence[Teammate], resources: Sequence[Resource]) -> None:
    """Make every calendar of `team` that is not there yet, and put every resource in its place.

    Done twice it leaves the same: names are fixed, and what stands there is replaced. Raises `UploadFailed`.
    """
    for mate in team:
        if not mate.login:
            continue
        with httpx2.Client(base_url=url, auth=(mate.login, passwords[mate.login]), timeout=30) as client:
            for path, name, colour in mate.calendars:
                body = _CALENDAR.format(name=escape(name), colour=colour)
                # 409: it is there already, from a start that was interrupted
                _send(client, "MKCALENDAR", f"/{mate.login}/{path}/", body, "application/xml", fine={201, 405, 409})
            for resource in resources:
                if resource.path.startswith(f"{mate.login}/"):
                    where = f"/{resource.path}/{resource.name}"
                    _send(client, "PUT", where, resource.text, "text/calendar", fine={201, 204})


def _send(client: httpx2.Client, method: str, path: str, body: str, kind: str, *, fine: set[int]) -> None:
    headers = {"Content-Type": f"{kind}; charset=utf-8"}
    answer = client.request(method, path, content=body.encode(), headers=headers)
    if answer.status_code not in fine:
        raise UploadFailed(f"The calendar server answered {answer.status_code} to {method} {path}: {answer.text[:200]}")
