"""Channels and what they deliver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE

Json = dict[str, Any]
Refusal = Callable[..., tuple[int, str]]
Meeting = Callable[..., Json]


class Callback:
    """A server that keeps the headers of what arrives, and answers with `status` (one after the other)."""

    def __init__(self) -> None:
        self.arrived: list[tuple[dict[str, str], bytes]] = []
        self.status = [200]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.arrived.append((dict(self.headers.items()), body))
                self.send_response(outer.status.pop(0) if len(outer.status) > 1 else outer.status[0])
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/push"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def states(self) -> list[str]:
        return [headers["X-Goog-Resource-State"] for headers, _ in self.arrived]


@pytest.fixture
def callback() -> Iterator[Callback]:
    made = Callback()
    yield made
    made.server.shutdown()
    made.server.server_close()


def watch(google: GoogleSandbox, callback: Callback, name: str = "c-1", **more: Any) -> Json:
    body = {"id": name, "type": "web_hook", "address": callback.address, "token": "secret", **more}
    return google.call(ALICE, "events.watch", body, calendarId="primary")


def test_a_channel_says_sync_and_then_exists_in_headers_alone(
    google: GoogleSandbox, callback: Callback, meeting: Meeting
) -> None:
    channel = watch(google, callback)
    meeting()
    google.push.flush()
    assert callback.states() == ["sync", "exists"]
    (first, body), (second, _) = callback.arrived
    assert body == b""
    assert first["X-Goog-Message-Number"] == "1"
    assert int(second["X-Goog-Message-Number"]) > 1
    assert second["X-Goog-Channel-Id" if "X-Goog-Channel-Id" in second else "X-Goog-Channel-ID"] == "c-1"
    told = {name.lower(): value for name, value in second.items()}
    assert told["x-goog-channel-token"] == "secret"
    assert told["x-goog-resource-id"] == channel["resourceId"]
    assert told["x-goog-resource-uri"] == channel["resourceUri"]
    assert told["x-goog-channel-expiration"].endswith("GMT")


def test_a_channel_ends_after_seven_days_at_most(google: GoogleSandbox, callback: Callback, meeting: Meeting) -> None:
    week = 7 * 24 * 3600
    far = str(int((google.clock.now().timestamp() + 30 * 24 * 3600) * 1000))
    channel = watch(google, callback, expiration=far)
    assert int(channel["expiration"]) == int((google.clock.now().timestamp() + week) * 1000)
    google.clock.advance(days=7)
    meeting()
    google.push.flush()
    assert callback.states() == ["sync"]


def test_a_stopped_channel_may_deliver_once_more(google: GoogleSandbox, callback: Callback, meeting: Meeting) -> None:
    channel = watch(google, callback)
    google.call(ALICE, "channels.stop", {"id": "c-1", "resourceId": channel["resourceId"]})
    for _ in range(3):
        meeting()
    google.push.flush()
    assert callback.states() == ["sync", "exists"]


def test_notifications_are_lost_or_doubled(google: GoogleSandbox, callback: Callback, meeting: Meeting) -> None:
    watch(google, callback)
    google.push.lose = 1.0
    meeting()
    google.push.lose, google.push.double = 0.0, 1.0
    meeting()
    google.push.flush()
    assert callback.states() == ["sync", "exists", "exists"]


def test_a_callback_in_trouble_is_tried_again_and_a_refusal_is_not(
    google: GoogleSandbox, callback: Callback, meeting: Meeting
) -> None:
    google.push.retry_seconds = 0.01
    callback.status = [503, 200]
    watch(google, callback)
    google.push.flush()
    assert callback.states() == ["sync", "sync"]
    callback.status = [404]
    meeting()
    google.push.flush()
    assert len(callback.arrived) == 3
    assert google.push.deliveries[-1].status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "with space"},
        {"type": "email"},
        {"address": "http://crm.northwind.example/push"},
        {"token": "x" * 257},
        {"expiration": "1000"},
    ],
)
def test_what_no_channel_may_be(refusal: Refusal, wrong: Json) -> None:
    body = {"id": "c-1", "type": "web_hook", "address": "https://crm.northwind.example/push", **wrong}
    assert refusal(ALICE, "events.watch", body, calendarId="primary")[0] == 400


def test_a_channels_id_is_used_once_and_stopping_needs_both_ids(
    google: GoogleSandbox, callback: Callback, refusal: Refusal
) -> None:
    watch(google, callback)
    body = {"id": "c-1", "type": "web_hook", "address": callback.address}
    assert refusal(ALICE, "events.watch", body, calendarId="primary") == (400, "channelIdNotUnique")
    assert refusal(ALICE, "channels.stop", {"id": "c-1", "resourceId": "other"})[0] == 404
