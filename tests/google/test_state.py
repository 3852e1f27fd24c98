"""What outlives the sandbox's process: events and versions, tokens, sync tokens, channels, mails."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.clock import Clock
from sandbox.google.problems import Problem
from sandbox.google.sample import ALICE, BOB, CHARLIE
from sandbox.google.state import SYNC_TOKENS, Keeper, UnreadableState, dump, restore
from tests.google.conftest import NOW, at

Json = dict[str, Any]
CALLBACK = "http://127.0.0.1:8000/accounts/google/callback"


def restarted(google: GoogleSandbox) -> GoogleSandbox:
    """Another process with another seed, which took up what this one kept."""
    again = GoogleSandbox(seed=99, clock=Clock(NOW + timedelta(minutes=1)))
    again.behaviour.short_pages = False
    restore(again, dump(google))
    return again


def test_events_keep_their_ids_versions_and_places(google: GoogleSandbox, meeting: Callable[..., Json]) -> None:
    made = meeting(attendees=[{"email": BOB}, {"email": CHARLIE}], tell="all", recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    instance = f"{made['id']}_20260107T090000Z"
    google.call(ALICE, "events.patch", {"summary": "Moved"}, calendarId="primary", eventId=instance, sendUpdates="none")
    gone = f"{made['id']}_20260108T090000Z"
    google.call(ALICE, "events.delete", calendarId="primary", eventId=gone, sendUpdates="none")
    again = restarted(google)
    for address in (ALICE, BOB):
        before, after = (
            each.call(address, "events.list", calendarId="primary", showDeleted=True)["items"]
            for each in (google, again)
        )
        assert before == after
    assert again.mails.as_json() == google.mails.as_json()
    assert again.api.violations == []


def test_a_change_after_a_restart_has_a_version_that_never_was(
    google: GoogleSandbox, meeting: Callable[..., Json]
) -> None:
    made = meeting()
    again = restarted(google)
    lost = google.call(
        ALICE, "events.patch", {"summary": "Lost"}, calendarId="primary", eventId=made["id"], sendUpdates="none"
    )
    kept = again.call(
        ALICE, "events.patch", {"summary": "Kept"}, calendarId="primary", eventId=made["id"], sendUpdates="none"
    )
    assert lost["etag"] != kept["etag"]


def test_a_sync_goes_on_where_it_was(google: GoogleSandbox, meeting: Callable[..., Json]) -> None:
    meeting()
    token = google.call(ALICE, "events.list", calendarId="primary")["nextSyncToken"]
    second = meeting(summary="Second")
    again = restarted(google)
    told = again.call(ALICE, "events.list", calendarId="primary", syncToken=token)
    assert [each["id"] for each in told["items"]] == [second["id"]]
    with pytest.raises(Problem) as other_calendar:
        again.call(BOB, "events.list", calendarId="primary", syncToken=token)
    assert other_calendar.value.code == 400


def test_the_newest_sync_tokens_are_kept_and_others_count_as_expired(
    google: GoogleSandbox, meeting: Callable[..., Json]
) -> None:
    first = google.call(ALICE, "events.list", calendarId="primary")["nextSyncToken"]
    for _ in range(SYNC_TOKENS):
        google.clock.advance(seconds=30)
        last = google.call(ALICE, "events.list", calendarId="primary")["nextSyncToken"]
    again = restarted(google)
    again.clock.advance(days=1)
    assert again.call(ALICE, "events.list", calendarId="primary", syncToken=last)["items"] == []
    with pytest.raises(Problem) as expired:
        again.call(ALICE, "events.list", calendarId="primary", syncToken=first)
    assert (expired.value.code, expired.value.reason) == (410, "fullSyncRequired")


def test_tokens_go_on_and_what_was_taken_back_stays_so(google: GoogleSandbox) -> None:
    client = google.oauth.add_client("Tandem", CALLBACK)
    alice, bob = (google.oauth._grant(client, each, ("openid",), NOW) for each in (ALICE, BOB))
    google.oauth.withdraw(BOB)
    personal = google.lasting_token(ALICE)
    again = restarted(google)
    assert again.lasting_token(ALICE) == personal
    asked = {"client_id": client.id, "client_secret": client.secret, "grant_type": "refresh_token"}
    assert again.oauth.token(asked | {"refresh_token": alice.token})["access_token"]
    with pytest.raises(Exception, match="expired or revoked"):
        again.oauth.token(asked | {"refresh_token": bob.token})
    assert again.oauth.clients[client.id].redirects == {CALLBACK}


def test_an_access_token_ends_with_its_grant_after_a_restart_too(google: GoogleSandbox) -> None:
    client = google.oauth.add_client("Tandem", CALLBACK)
    grant = google.oauth._grant(client, ALICE, ("openid", "email"), NOW)
    asked = {"client_id": client.id, "client_secret": client.secret, "grant_type": "refresh_token"}
    access = google.oauth.token(asked | {"refresh_token": grant.token})["access_token"]
    again = restarted(google)
    assert again.oauth.userinfo(access)["email"] == ALICE
    again.oauth.withdraw(ALICE)
    with pytest.raises(Problem):
        again.oauth.userinfo(access)


def test_a_channel_outlives_a_restart(google: GoogleSandbox) -> None:
    wish = {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:9/hook", "token": "secret"}
    made = google.call(ALICE, "events.watch", wish, calendarId="primary")
    again = restarted(google)
    assert again.push.channels["channel-1"].as_json() == made
    again.call(ALICE, "channels.stop", {"id": "channel-1", "resourceId": made["resourceId"]})


def test_the_file_is_written_soon_whole_and_for_its_owner(
    google: GoogleSandbox, meeting: Callable[..., Json], tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    with Keeper(google, path):
        meeting(summary="Written soon", start=at("11:00"), end=at("12:00"))
        google.touched.set()
        until = time.monotonic() + 10
        while b"Written soon" not in path.read_bytes():
            assert time.monotonic() < until
            time.sleep(0.02)
        meeting(summary="Written at the end", start=at("13:00"), end=at("14:00"))
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["version"] == 1
    assert b"Written at the end" in path.read_bytes()


@pytest.mark.parametrize("kept", [b"", b"{}", b'{"version": 1'])
def test_a_file_that_is_none_is_said(google: GoogleSandbox, kept: bytes) -> None:
    with pytest.raises(UnreadableState, match="cannot be read"):
        restore(google, kept)


def test_a_file_of_another_version_is_said(google: GoogleSandbox) -> None:
    with pytest.raises(UnreadableState, match="version 7"):
        restore(google, dump(google).replace(b'"version": 1', b'"version": 7'))
