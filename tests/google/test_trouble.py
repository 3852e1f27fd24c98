"""Quotas, faults, the logs, and the web form."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.api import BASE
from sandbox.google.http import Request
from sandbox.google.problems import AnswerLost
from sandbox.google.sample import ALICE, BOB, CHARLIE

Json = dict[str, Any]
EVENT = {"start": {"dateTime": "2026-01-06T10:00:00Z"}, "end": {"dateTime": "2026-01-06T11:00:00Z"}}


def ask(google: GoogleSandbox, body: Json | None = None, **query: str) -> tuple[int, str]:
    """A client's request on alice's events, as it comes over HTTP."""
    headers = {"authorization": f"Bearer {google.token(ALICE)}", "content-type": "application/json"}
    sent = json.dumps(body).encode() if body is not None else b""
    verb = "GET" if body is None else "POST"
    answer = google.handle(Request(verb, f"{BASE}calendars/primary/events", urlencode(query), headers, sent))
    error = json.loads(answer.body).get("error", {"errors": [{"reason": ""}]})
    return answer.status, error["errors"][0]["reason"]


def test_six_hundred_requests_a_minute_and_no_more(google: GoogleSandbox) -> None:
    assert {ask(google)[0] for _ in range(600)} == {200}
    refused = {ask(google) for _ in range(20)}
    assert refused == {(403, "userRateLimitExceeded"), (429, "rateLimitExceeded")}
    google.clock.advance(minutes=1)
    assert ask(google)[0] == 200


def test_a_burst_of_writes_on_one_calendar_is_limited_apart(google: GoogleSandbox) -> None:
    google.quotas.writes_per_calendar = 2
    assert [ask(google, EVENT) for _ in range(3)][1:] == [(200, ""), (403, "quotaExceeded")]
    assert ask(google)[0] == 200


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("429", (429, "rateLimitExceeded")),
        ("403 rateLimitExceeded", (403, "rateLimitExceeded")),
        ("403 userRateLimitExceeded", (403, "userRateLimitExceeded")),
        ("403 quotaExceeded", (403, "quotaExceeded")),
        ("500", (500, "backendError")),
        ("503", (503, "backendError")),
    ],
)
def test_a_refusal_on_purpose_strikes_as_often_as_told(
    google: GoogleSandbox, kind: Any, answer: tuple[int, str]
) -> None:
    google.faults.add(kind, "events.*", times=2, skip=1)
    assert [ask(google, EVENT) for _ in range(4)] == [(200, ""), answer, answer, (200, "")]
    assert len(google.call(ALICE, "events.list", calendarId="primary")["items"]) == 2


@pytest.mark.parametrize(("kind", "kept"), [("lost before", 0), ("lost after", 1)])
def test_a_lost_answer_leaves_open_whether_it_was_written(google: GoogleSandbox, kind: Any, kept: int) -> None:
    google.faults.add(kind, "events.insert")
    with pytest.raises(AnswerLost):
        ask(google, EVENT)
    assert len(google.call(ALICE, "events.list", calendarId="primary")["items"]) == kept
    assert google.log.outside()[-1].reason == "answerLost"


def test_over_a_real_connection_a_lost_answer_is_a_connection_that_ends(google: GoogleSandbox) -> None:
    google.faults.add("lost after", "events.list")
    with google.serve() as address:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
        headers = {"Authorization": f"Bearer {google.token(ALICE)}"}
        path = "/calendar/v3/calendars/alice%40northwind.example/events"
        connection.request("GET", path, headers=headers)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            connection.getresponse()
        connection.close()
        connection.request("GET", path, headers=headers)
        assert connection.getresponse().status == 200
        connection.close()


def test_the_log_tells_reads_from_writes_and_clients_from_the_sandboxs_own_hand(google: GoogleSandbox) -> None:
    google.call(ALICE, "events.insert", EVENT, calendarId="primary")
    ask(google, showDeleted="true")
    assert google.log.writes() == []
    ask(google, EVENT, sendUpdates="none")
    (row,) = google.log.writes()
    assert (row.method, row.query, row.body, row.user) == ("events.insert", {"sendUpdates": ["none"]}, EVENT, ALICE)
    shown = json.loads(google.handle(Request("GET", "/_sandbox/requests", "", {}, b"")).body)
    assert [entry["method"] for entry in shown] == ["events.insert", "events.list", "events.insert"]


def test_without_a_token_nothing(google: GoogleSandbox) -> None:
    answer = google.handle(Request("GET", f"{BASE}users/me/calendarList", "", {}, b""))
    assert answer.status == 401
    assert "WWW-Authenticate" in dict(answer.headers)


def template(**more: str) -> str:
    asked = {"action": "TEMPLATE", "text": "Demo", "dates": "20260106T090000Z/20260106T100000Z", "add": CHARLIE}
    return urlencode(asked | more)


def test_the_web_form_is_filled_and_opens_in_the_account_it_was_asked_for(google: GoogleSandbox) -> None:
    page = google.handle(Request("GET", "/calendar/render", template(authuser=BOB), {}, b"")).body.decode()
    assert "Bob Tanaka" in page
    assert CHARLIE in page
    first = google.handle(Request("GET", "/calendar/render", template(), {}, b"")).body.decode()
    assert "Alice Moreau" in first
    stranger = google.handle(Request("GET", "/calendar/render", template(authuser="x@y.example"), {}, b""))
    assert "Choose an account" in stranger.body.decode()


@pytest.mark.parametrize(("tell", "mails"), [("all", [CHARLIE]), ("none", [])])
def test_saving_the_web_form_makes_the_event_and_tells_whom_it_says(
    google: GoogleSandbox, tell: str, mails: list[str]
) -> None:
    sent = {"text": "Demo", "dates": "20260106T090000Z/20260106T100000Z", "add": CHARLIE, "tell": tell}
    query = urlencode({"action": "TEMPLATE", "authuser": BOB})
    answer = google.handle(Request("POST", "/calendar/render", query, {}, urlencode(sent).encode()))
    assert answer.status == 302
    (made,) = google.call(BOB, "events.list", calendarId="primary")["items"]
    assert made["summary"] == "Demo"
    assert [guest["responseStatus"] for guest in made["attendees"]] == ["accepted", "needsAction"]
    assert [mail.to for mail in google.mails.rows] == mails
    link = urlsplit(dict(answer.headers)["Location"])
    assert "Demo" in google.handle(Request("GET", link.path, link.query, {}, b"")).body.decode()


def test_a_form_with_wrong_dates_comes_back_with_words(google: GoogleSandbox) -> None:
    sent = urlencode({"text": "Demo", "dates": "tomorrow", "tell": "all"}).encode()
    answer = google.handle(Request("POST", "/calendar/render", "action=TEMPLATE", {}, sent))
    assert answer.status == 400
    assert "Dates look like" in answer.body.decode()


def test_the_same_seed_gives_the_same_ids_and_tokens() -> None:
    first, second = (GoogleSandbox(seed=7) for _ in range(2))
    for google in (first, second):
        google.store.add_user(ALICE, "Alice", "UTC")
    made = [google.call(ALICE, "events.insert", EVENT, calendarId="primary")["id"] for google in (first, second)]
    assert made[0] == made[1]
    assert first.token(ALICE) == second.token(ALICE)


def test_it_runs_alone_and_prints_a_token_for_each_sample_user() -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.google", "--port", "0"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines: dict[str, str] = {}
        while "Requests" not in lines:
            name, _, value = process.stdout.readline().strip().partition(": ")
            lines[name] = value
        asked = urllib.request.Request(
            f"{lines['API root']}users/me/calendarList", headers={"Authorization": f"Bearer {lines['alice token']}"}
        )
        with urllib.request.urlopen(asked, timeout=5) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.communicate()
    assert {"alice token", "bob token", "charlie token"} <= lines.keys()
