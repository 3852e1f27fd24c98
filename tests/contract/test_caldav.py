"""What only CalDAV has: finding the way, truncated answers, forgotten tokens, schedule tags, odd servers.

`Odd` is a stand-in for servers that Radicale is not; it answers by rules, and notes what it was asked.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import pytest

from tandem.calendaring.provider import (
    AnswerLost,
    Changed,
    Credentials,
    CursorExpired,
    Known,
    NotACalendarServer,
    NotFound,
    Page,
    ReconnectNeeded,
    Refused,
    RemoteItem,
    TryLater,
)
from tandem.providers.caldav import CalDavProvider, quirks, xml
from tandem.providers.caldav.provider import FIRST
from tandem.providers.network import public_only
from tests.contract.suite import NOW, PLANNING, meeting, resource
from tests.proxy import CountingProxy
from tests.radicale import RadicaleServer
from tests.radicale import radicale_server as radicale_server

HOME = "https://cal.example.org/alice/"
WORK = "/alice/work/"
NAMESPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'

Rule = Callable[[httpx2.Request], httpx2.Response | None]


class Odd:
    """A transport whose answers are the first of `rules` that has one; 404 when none has."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.asked.append(request)
        for rule in self.rules:
            answer = rule(request)
            if answer is not None:
                return answer
        return httpx2.Response(404)

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.asked]

    def provider(self, *, url: str = HOME, endpoint: str = HOME, tandem_invites: bool = False) -> CalDavProvider:
        return CalDavProvider(
            Credentials(url, "alice", "secret"),
            endpoint=endpoint,
            transport=httpx2.MockTransport(self),
            now=lambda: NOW,
            tandem_invites=tandem_invites,
        )


def on(method: str, path: str, *answers: httpx2.Response | Exception, body: str = "") -> Rule:
    """Answers to `method path` (and `body` in its body), the last one again and again."""
    left = list(answers)

    def rule(request: httpx2.Request) -> httpx2.Response | None:
        if request.method != method or request.url.path != path or body not in request.content.decode():
            return None
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        # A response can be read once, and this one may be given again.
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return rule


def multistatus(*responses: str, token: str = "") -> httpx2.Response:
    end = f"<sync-token>{token}</sync-token>" if token else ""
    return httpx2.Response(207, text=f"<multistatus {NAMESPACES}>{''.join(responses)}{end}</multistatus>")


def entry(href: str, properties: str) -> str:
    return (
        f"<response><href>{href}</href><propstat><prop>{properties}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
    )


def gone(href: str, status: int = 404) -> str:
    return f"<response><href>{href}</href><status>HTTP/1.1 {status} X</status></response>"


def etag(value: str) -> str:
    return f'<getetag>"{value}"</getetag>'


def data(value: str, raw: str) -> str:
    return f"{etag(value)}<C:calendar-data><![CDATA[{raw}]]></C:calendar-data>"


def pages(provider: CalDavProvider, cursor: str | None, known: dict[str, Known] | None = None) -> list[Page]:
    """One look. Without a cursor it is the one after the first listing, which asks for the token."""
    return list(provider.changes(WORK, cursor or FIRST, known or {}))


ONE = resource(*PLANNING)


class TestDiscovery:
    def test_a_wrong_password_says_so(self, radicale_server: RadicaleServer):
        provider = CalDavProvider(radicale_server.credentials("alice", password="wrong"))
        with pytest.raises(ReconnectNeeded, match=r"^127.0.0.1 does not take this user name and password\.$"):
            provider.discover()

    def test_a_host_that_is_not_there_says_so(self):
        provider = CalDavProvider(Credentials("http://127.0.0.1:9/", "alice", "secret"))
        with pytest.raises(TryLater, match=r"^No server answers at 127.0.0.1\."):
            provider.discover()

    def test_a_server_of_another_kind_says_so(self):
        page = httpx2.Response(200, text="<html><body>Welcome</body></html>")
        server = Odd(lambda _: page)
        with pytest.raises(NotACalendarServer, match=r"^cal.example.org answers, but it is no CalDAV server\."):
            server.provider(endpoint="").discover()

    def test_a_server_of_files_says_so(self):
        server = Odd(lambda _: multistatus(entry("/", "<resourcetype><collection/></resourcetype>")))
        with pytest.raises(NotACalendarServer, match="keeps no calendars for you"):
            server.provider(endpoint="").discover()

    def test_a_private_network_is_not_entered(self):
        provider = CalDavProvider(Credentials("http://127.0.0.1:9/", "alice", "secret"), guard=public_only)
        with pytest.raises(Refused, match="in a private network"):
            provider.discover()

    def test_any_address_on_the_server_leads_to_the_same_account(self, radicale_server: RadicaleServer):
        work = radicale_server.make_calendar("alice", "discovery")
        found = {
            CalDavProvider(radicale_server.credentials("alice", url=radicale_server.url.rstrip("/") + path)).discover()
            for path in ("", "/", "/alice/", work, "/no/such/place")
        }
        assert len(found) == 1

    def test_radicale_does_not_tell_addresses(self, radicale_server: RadicaleServer):
        found = CalDavProvider(radicale_server.credentials("alice")).discover()
        assert found.addresses == ()
        assert not found.schedules

    def full(self, *calendars: str, header: str = "1, calendar-access") -> Odd:
        return Odd(
            on("PROPFIND", "/.well-known/caldav", httpx2.Response(301, headers={"Location": "/dav"})),
            on("PROPFIND", "/dav", multistatus(entry("/dav", self.href("current-user-principal", "/me/")))),
            on(
                "PROPFIND",
                "/me/",
                multistatus(
                    entry(
                        "/me/",
                        "<C:calendar-home-set><href>https://p12.example.net/alice/</href></C:calendar-home-set>"
                        "<C:calendar-user-address-set><href>mailto:Alice@Example.org</href><href>/me/</href>"
                        "<href>urn:uuid:1</href><href>MAILTO:a@example.org</href></C:calendar-user-address-set>",
                    )
                ),
            ),
            on("OPTIONS", "/alice/", httpx2.Response(200, headers={"DAV": header})),
            on("PROPFIND", "/alice/", multistatus(*calendars)),
        )

    def href(self, name: str, href: str) -> str:
        return f"<{name}><href>{href}</href></{name}>"

    def calendar(self, href: str, more: str = "") -> str:
        return entry(href, f"<resourcetype><collection/><C:calendar/></resourcetype>{more}")

    def test_the_way_leads_over_principal_and_home_to_another_host(self):
        server = self.full(self.calendar("/alice/w%C3%B6rk/", "<displayname>Work</displayname>"))
        found = server.provider(url="example.org", endpoint="").discover()
        assert found.endpoint == "https://p12.example.net/alice/"
        assert found.subject_id == "https://example.org/me/"
        assert found.addresses == ("a@example.org", "alice@example.org")
        assert [(calendar.remote_id, calendar.name) for calendar in found.calendars] == [("/alice/wörk/", "Work")]
        assert str(server.asked[0].url) == "https://example.org/.well-known/caldav"

    def test_a_server_that_mails_guests_is_known_by_its_header(self):
        assert self.full(header="1, calendar-auto-schedule").provider(endpoint="").discover().schedules
        assert not self.full(header="1, calendar-access").provider(endpoint="").discover().schedules

    def test_what_a_calendar_tells_of_itself(self):
        zone = "<C:calendar-timezone>BEGIN:VCALENDAR&#13;\nTZID:W. Europe Standard Time&#13;\n</C:calendar-timezone>"
        rights = "<current-user-privilege-set><privilege><{}/></privilege></current-user-privilege-set>"
        kinds = '<C:supported-calendar-component-set><C:comp name="{}"/></C:supported-calendar-component-set>'
        server = self.full(
            self.calendar("/alice/own/", zone + rights.format("write") + kinds.format("VEVENT")),
            self.calendar("/alice/read/", rights.format("read")),
            self.calendar("/alice/tasks/", kinds.format("VTODO")),
            entry("/alice/files/", "<resourcetype><collection/></resourcetype>"),
        )
        found = {calendar.name: calendar for calendar in server.provider(endpoint="").discover().calendars}
        assert set(found) == {"own", "read"}
        assert (found["own"].writable, found["own"].zone) == (True, "Europe/Berlin")
        assert not found["read"].writable

    def test_a_well_known_address_that_leads_out_of_https_is_passed_over(self):
        server = Odd(
            on("PROPFIND", "/.well-known/caldav", httpx2.Response(301, headers={"Location": "http://example.org/"})),
            on("PROPFIND", "/", multistatus(entry("/", self.href("current-user-principal", "/me/")))),
            *self.full(self.calendar("/alice/work/")).rules[2:],
        )
        assert server.provider(url="https://example.org", endpoint="").discover().calendars
        assert {request.url.scheme for request in server.asked} == {"https"}

    def test_of_a_mail_address_the_host_is_asked(self):
        server = self.full(self.calendar("/alice/work/"))
        server.provider(url="alice@example.org", endpoint="").discover()
        assert server.asked[0].url.host == "example.org"

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_busy_server_is_no_wrong_one(self, status: int):
        server = Odd(lambda _: httpx2.Response(status, headers={"Retry-After": "77"}))
        with pytest.raises(TryLater) as busy:
            server.provider(endpoint="").discover()
        assert busy.value.retry_after == 77


class TestSyncCollection:
    def test_a_truncated_answer_is_continued_with_its_token(self):
        server = Odd(
            on(
                "REPORT",
                WORK,
                multistatus(entry(f"{WORK}1.ics", etag("1")), gone(WORK, 507), token="t1"),
                multistatus(entry(f"{WORK}2.ics", etag("2")), gone(WORK, 507), token="t2"),
                multistatus(entry(f"{WORK}3.ics", etag("3")), token="t3"),
                body="sync-collection",
            ),
            *(
                on("REPORT", WORK, multistatus(entry(f"{WORK}{n}.ics", data(str(n), ONE))), body=f"{n}.ics")
                for n in (1, 2, 3)
            ),
        )
        gone_one = {f"{WORK}gone.ics": Known('"9"')}
        found = pages(server.provider(), None, gone_one)
        assert [item.remote_id for page in found for item in page.items] == [f"{WORK}{n}.ics" for n in (1, 2, 3)]
        assert [page.cursor for page in found] == [None, None, "sync:t3"]
        assert [page.removed for page in found] == [(), (), (f"{WORK}gone.ics",)]
        assert found[-1].complete
        tokens = [request.content.decode().partition("sync-token>")[2] for request in server.asked]
        assert [token.partition("<")[0] for token in tokens if token] == ["", "t1", "t2"]

    def test_an_endless_truncation_stops(self):
        server = Odd(on("REPORT", WORK, multistatus(gone(WORK, 507), token="same")))
        with pytest.raises(TryLater, match="stops in the middle"):
            pages(server.provider(), "sync:same")

    def test_a_removed_resource_is_a_404_inside(self):
        server = Odd(on("REPORT", WORK, multistatus(gone("/alice/work/%C3%BC%20x.ics"), token="t2")))
        (page,) = pages(server.provider(), "sync:t1")
        assert (page.removed, page.cursor, page.complete) == (("/alice/work/ü x.ics",), "sync:t2", False)

    @pytest.mark.parametrize("status", [403, 409, 410, 412, 415, 418])
    def test_a_forgotten_token_has_many_names(self, status: int):
        server = Odd(on("REPORT", WORK, httpx2.Response(status, text="<error/>")))
        with pytest.raises(CursorExpired):
            pages(server.provider(), "sync:old")

    @pytest.mark.parametrize("status", [400, 403, 405, 409, 415, 501])
    def test_without_sync_collection_ctag_and_etags_are_compared(self, status: int):
        server = Odd(
            on("REPORT", WORK, httpx2.Response(status, text="<error/>"), body="sync-collection"),
            on("PROPFIND", WORK, multistatus(entry(WORK, "<S:getctag>c1</S:getctag>")), body="getctag"),
            on("PROPFIND", WORK, multistatus(entry(WORK, etag("x")), entry(f"{WORK}1.ics", etag("1"))), body="getetag"),
            on("REPORT", WORK, multistatus(entry(f"{WORK}1.ics", data("1", ONE))), body="multiget"),
        )
        (page,) = pages(server.provider(), None)
        assert (page.cursor, page.complete, len(page.items)) == ("ctag:c1", True, 1)
        server.asked.clear()
        (again,) = pages(server.provider(), "ctag:c1")
        assert (again.items, again.removed, again.cursor) == ((), (), "ctag:c1")
        assert server.methods == ["PROPFIND"]

    def test_a_listing_without_even_the_calendar_removes_nothing(self):
        server = Odd(
            on("PROPFIND", WORK, multistatus(entry(WORK, "<S:getctag>c2</S:getctag>")), body="getctag"),
            on("PROPFIND", WORK, multistatus(), body="getetag"),
        )
        with pytest.raises(TryLater):
            pages(server.provider(), "ctag:c1", {f"{WORK}1.ics": Known('"1"')})

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_server_in_trouble_forgets_nothing(self, status: int):
        server = Odd(on("REPORT", WORK, httpx2.Response(status)))
        for cursor in (None, "sync:t"):
            with pytest.raises(TryLater):
                pages(server.provider(), cursor)

    @pytest.mark.parametrize("body", ["<html>Please log in to our Wi-Fi</html>", "", "<multistatus/>", "<!DOCTYPE x>"])
    def test_a_page_that_is_no_multistatus_removes_nothing(self, body: str):
        server = Odd(on("REPORT", WORK, httpx2.Response(200, text=body)))
        with pytest.raises(TryLater, match="no calendar data"):
            pages(server.provider(), "sync:t")

    def test_a_calendar_that_is_gone_says_so(self):
        with pytest.raises(NotFound):
            pages(Odd().provider(), "sync:t")

    def test_hrefs_are_compared_decoded_and_whole_urls_are_paths(self):
        server = Odd(
            on(
                "REPORT",
                WORK,
                multistatus(
                    entry("https://cal.example.org/alice/w%6Frk/%61.ics", etag("1")),
                    entry("/alice/work/b%2Fc.ics", etag("2")),
                    entry("/alice/work", etag("3")),
                    token="t",
                ),
            )
        )
        known = {"/alice/work/a.ics": Known('"1"'), "/alice/work/b%2Fc.ics": Known('W/"2"')}
        (page,) = pages(server.provider(), None, known)
        assert (page.items, page.removed) == ((), ())
        assert quirks.quoted("/alice/work/b%2Fc d.ics") == "/alice/work/b%2Fc%20d.ics"


class TestMultiget:
    def listing(self, *names: str) -> Rule:
        return on(
            "REPORT",
            WORK,
            multistatus(*(entry(f"{WORK}{name}", etag("1")) for name in names), token="t"),
            body="sync-collection",
        )

    def test_what_a_truncated_answer_leaves_out_is_fetched_one_by_one(self):
        server = Odd(
            self.listing("1.ics", "2.ics", "3.ics"),
            on("REPORT", WORK, multistatus(entry(f"{WORK}1.ics", data("1", ONE))), body="multiget"),
            on("GET", f"{WORK}2.ics", httpx2.Response(200, text=ONE, headers={"ETag": '"2"'})),
        )
        (page,) = pages(server.provider(), None, {f"{WORK}3.ics": Known("")})
        assert [(item.remote_id, item.etag) for item in page.items] == [
            (f"{WORK}1.ics", '"1"'),
            (f"{WORK}2.ics", '"2"'),
        ]
        assert page.removed == (f"{WORK}3.ics",)

    def test_a_server_without_multiget_is_asked_one_by_one(self):
        server = Odd(
            self.listing("1.ics"),
            on("REPORT", WORK, httpx2.Response(501), body="multiget"),
            on("GET", f"{WORK}1.ics", httpx2.Response(200, text=ONE, headers={"ETag": '"1"'})),
        )
        (page,) = pages(server.provider(), None)
        assert page.items[0].events

    def test_half_an_answer_is_no_answer(self):
        whole = multistatus(entry(f"{WORK}1.ics", data("1", ONE))).content
        server = Odd(
            self.listing("1.ics"), on("REPORT", WORK, httpx2.Response(207, content=whole[:-30]), body="multiget")
        )
        with pytest.raises(TryLater):
            pages(server.provider(), None)

    def test_several_events_in_one_resource_are_quarantined(self):
        two = (
            ONE.replace("END:VCALENDAR", resource(*PLANNING, uid="2").split("EN\r\n")[1].split("END:VCAL")[0])
            + "END:VCALENDAR"
        )
        server = Odd(
            self.listing("1.ics"),
            on("REPORT", WORK, multistatus(entry(f"{WORK}1.ics", data("1", two))), body="multiget"),
        )
        (page,) = pages(server.provider(), None)
        assert page.items[0].problem == "It holds several events at once."

    def test_each_resource_is_asked_for_once(self, radicale_server: RadicaleServer):
        work = radicale_server.make_calendar("alice", "chunks")
        for number in range(7):
            radicale_server.put("alice", f"{work}{number}.ics", resource(*PLANNING, uid=str(number)))
        with CountingProxy(radicale_server.url) as proxy:
            provider = CalDavProvider(radicale_server.credentials("alice", url=proxy.url))
            provider.chunk = 3
            found = list(provider.changes(work, None, {}))
            assert [len(page.items) for page in found] == [3, 3, 1]
            assert [method for method, _, _ in proxy.requests] == ["PROPFIND", *["REPORT"] * 3]
            assert found[-1].cursor == FIRST
            proxy.clear()
            seen = {item.remote_id: Known(item.etag) for page in found for item in page.items}
            (page,) = provider.changes(work, FIRST, seen)
            assert (page.items, page.removed) == ((), ())
            assert page.cursor is not None
            assert page.cursor.startswith("sync:")
            assert [method for method, _, _ in proxy.requests] == ["REPORT"]
            provider.close()


class TestWriting:
    base = RemoteItem(f"{WORK}1.ics", '"1"', ONE, ())

    def server(self, *put: httpx2.Response | Exception, get: httpx2.Response | Exception | None = None) -> Odd:
        answer = get or httpx2.Response(200, text=ONE, headers={"ETag": '"2"'})
        return Odd(
            on("PUT", f"{WORK}1.ics", *put), on("GET", f"{WORK}1.ics", answer), on("DELETE", f"{WORK}1.ics", *put)
        )

    def update(self, server: Odd, base: RemoteItem | None = None) -> object:
        return server.provider().update(WORK, base or self.base, {"": {"title": "New"}}, silent=True, now=NOW)

    @pytest.mark.parametrize(
        ("etag", "schedule_tag", "header", "value"),
        [
            ('"1"', "", "If-Match", '"1"'),
            ('W/"1"', "", "If-Match", '"1"'),
            ("1", "", "If-Match", '"1"'),
            ('"1-gzip"', "", "If-Match", '"1"'),
            ('"1"', '"s"', "If-Schedule-Tag-Match", '"s"'),
        ],
    )
    def test_an_update_says_which_version_it_means(self, etag: str, schedule_tag: str, header: str, value: str):
        server = self.server(httpx2.Response(204))
        self.update(server, RemoteItem(f"{WORK}1.ics", etag, ONE, (), schedule_tag))
        assert server.methods == ["PUT", "GET"]
        conditions = {name: text for name, text in server.asked[0].headers.items() if name.startswith("if-")}
        assert conditions == {header.lower(): value}

    def test_without_a_version_nothing_is_written(self):
        server = self.server(httpx2.Response(204))
        with pytest.raises(Changed):
            self.update(server, RemoteItem(f"{WORK}1.ics", "", ONE, ()))
        assert server.asked == []

    def test_a_multigets_line_ends_are_mended(self):
        server = self.server(httpx2.Response(204))
        self.update(server, RemoteItem(f"{WORK}1.ics", '"1"', ONE.replace("\r\n", "\n"), ()))
        body = server.asked[0].content
        assert body.count(b"\r\n") == body.count(b"\n")

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (httpx2.Response(412), Changed),
            (httpx2.Response(401), ReconnectNeeded),
            (httpx2.Response(403), Refused),
            (httpx2.Response(409), Refused),
            (httpx2.Response(413), Refused),
            (httpx2.Response(507), Refused),
            (httpx2.Response(404), NotFound),
            (httpx2.Response(429, headers={"Retry-After": "5"}), TryLater),
            (httpx2.Response(503), TryLater),
            (httpx2.Response(500), AnswerLost),
            (httpx2.Response(502), AnswerLost),
            (httpx2.Response(504), AnswerLost),
            (httpx2.ReadTimeout("x"), AnswerLost),
            (httpx2.ReadError("x"), AnswerLost),
            (httpx2.WriteError("x"), AnswerLost),
            (httpx2.RemoteProtocolError("x"), AnswerLost),
            (httpx2.ConnectError("x"), TryLater),
            (httpx2.ConnectTimeout("x"), TryLater),
        ],
    )
    def test_what_an_answer_means(self, answer: httpx2.Response | Exception, error: type[Exception]):
        with pytest.raises(error) as raised:
            self.update(self.server(answer))
        assert type(raised.value) is error

    @pytest.mark.parametrize("get", [httpx2.ReadTimeout("x"), httpx2.Response(503), httpx2.Response(403)])
    def test_a_write_that_can_not_be_read_back_is_an_answer_lost(self, get: httpx2.Response | Exception):
        with pytest.raises(AnswerLost):
            self.update(self.server(httpx2.Response(204), get=get))

    @pytest.mark.parametrize(("put", "ours"), [('"2"', True), ('W/"2"', True), ("", True), ('"1b"', False)])
    def test_the_version_read_back_tells_whether_it_is_ours(self, put: str, ours: bool):
        written = self.update(self.server(httpx2.Response(204, headers={"ETag": put} if put else {})))
        assert written.ours is ours  # type: ignore[attr-defined]

    def test_a_create_asks_that_nothing_be_there(self):
        server = self.server(httpx2.Response(201))
        server.provider().create(WORK, f"{WORK}1.ics", [meeting()], silent=True)
        assert server.asked[0].headers["If-None-Match"] == "*"

    @pytest.mark.parametrize(
        ("tandem_invites", "silent", "marked"),
        [(False, True, False), (False, False, False), (True, False, False), (True, True, True)],
    )
    def test_the_server_is_told_not_to_mail_only_where_tandem_does(
        self, tandem_invites: bool, silent: bool, marked: bool
    ):
        server = self.server(httpx2.Response(201))
        provider = server.provider(tandem_invites=tandem_invites)
        provider.create(WORK, f"{WORK}1.ics", [meeting()], silent=silent)
        assert (b"SCHEDULE-AGENT=CLIENT" in server.asked[0].content.replace(b"\r\n ", b"")) is marked

    @pytest.mark.parametrize(("silent", "reply"), [(True, "F"), (False, None)])
    def test_a_silent_delete_declines_nothing(self, silent: bool, reply: str | None):
        server = self.server(httpx2.Response(204))
        server.provider().delete(WORK, self.base, silent=silent)
        assert server.asked[0].headers.get("Schedule-Reply") == reply
        assert server.asked[0].headers["If-Match"] == '"1"'


class TestTheWire:
    def test_a_redirect_is_followed_with_its_method_and_body(self):
        server = Odd(
            on("REPORT", "/old/", httpx2.Response(308, headers={"Location": "/new/"})),
            on("REPORT", "/new/", multistatus(token="t")),
        )
        (page,) = server.provider().changes("/old/", "sync:t", {})
        assert page.cursor == "sync:t"
        assert b"sync-collection" in server.asked[-1].content

    @pytest.mark.parametrize(
        ("endpoint", "location"),
        [
            ("https://cal.example.org/", "http://cal.example.org/new/"),
            ("http://cal.example.org/", "http://evil.example.org/"),
            ("https://cal.example.org/", "ftp://cal.example.org/"),
        ],
    )
    def test_the_password_is_not_sent_to_just_anyone(self, endpoint: str, location: str):
        server = Odd(on("REPORT", WORK, httpx2.Response(302, headers={"Location": location})))
        with pytest.raises(Refused):
            list(server.provider(endpoint=endpoint).changes(WORK, "sync:t", {}))
        assert len(server.asked) == 1

    def test_a_write_does_not_follow_to_another_host(self):
        server = Odd(on("PUT", f"{WORK}1.ics", httpx2.Response(307, headers={"Location": "https://x.example.org/"})))
        with pytest.raises(Refused, match="Connect it again"):
            server.provider().create(WORK, f"{WORK}1.ics", [meeting()], silent=True)
        assert len(server.asked) == 1

    def test_going_round_in_circles_ends(self):
        server = Odd(on("REPORT", WORK, httpx2.Response(302, headers={"Location": WORK})))
        with pytest.raises(TryLater, match="in circles"):
            list(server.provider().changes(WORK, "sync:t", {}))

    def test_a_bomb_does_not_go_off(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("tandem.providers.http.LARGEST_ANSWER", 100_000)
        bomb = httpx2.Response(207, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"x" * 10_000_000))
        with pytest.raises(Refused, match="more than Tandem can take"):
            list(Odd(lambda _: bomb).provider().changes(WORK, "sync:t", {}))

    @pytest.mark.parametrize(
        "body",
        [
            b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><multistatus xmlns="DAV:">&x;</multistatus>',
            b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><multistatus xmlns="DAV:">&b;</multistatus>',
        ],
    )
    def test_entities_are_refused(self, body: bytes):
        with pytest.raises(xml.NotMultistatus):
            xml.parse(body)

    def test_a_server_that_wants_digest_gets_it(self):
        def guarded(request: httpx2.Request) -> httpx2.Response | None:
            if not request.headers.get("Authorization", "").startswith("Digest"):
                return httpx2.Response(401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="1", qop="auth"'})
            return multistatus(token="t")

        server = Odd(guarded)
        (page,) = server.provider().changes(WORK, "sync:t", {})
        assert page.cursor == "sync:t"

    def test_who_asks_is_named(self):
        server = Odd(on("REPORT", WORK, multistatus(token="t")))
        list(server.provider().changes(WORK, "sync:t", {}))
        assert server.asked[0].headers["User-Agent"].startswith("Tandem")

    def test_a_retry_after_may_be_a_date(self):
        later = httpx2.Response(503, headers={"Retry-After": "Sun, 22 Nov 2026 12:02:00 GMT"})
        with pytest.raises(TryLater) as busy:
            list(Odd(lambda _: later).provider().changes(WORK, "sync:t", {}))
        assert busy.value.retry_after == 120

    def test_the_window_names_its_bounds_in_utc(self):
        server = Odd(on("REPORT", WORK, multistatus(entry(f"{WORK}1.ics", data("1", ONE)))))
        start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
        (page,) = server.provider().window(WORK, start, end)
        assert page.fast
        assert b'start="20261101T000000Z" end="20261201T000000Z"' in server.asked[0].content

    def test_a_server_without_queries_has_no_window_and_no_error(self):
        server = Odd(on("REPORT", WORK, httpx2.Response(403)))
        assert list(server.provider().window(WORK, NOW, NOW)) == []


def test_an_address_that_is_no_web_address_is_said_to_be_none() -> None:
    with pytest.raises(NotACalendarServer, match="begins with https"):
        CalDavProvider(Credentials("ftp://cal.example", "alice", "secret")).discover()


@pytest.mark.parametrize("typed", ["http://[::1", "https://[", "[", "//["])
def test_what_is_no_address_at_all_is_said_to_be_none(typed: str) -> None:
    with pytest.raises((NotACalendarServer, Refused), match=r"(no|not an) address of a server"):
        CalDavProvider(Credentials(typed, "alice", "secret")).discover()


@pytest.mark.parametrize("location", ["//[::1", "http://x:abc/", "http://\x01/"])
def test_a_server_that_sends_on_to_no_address_is_refused_in_words(location: str) -> None:
    server = Odd(on("REPORT", WORK, httpx2.Response(302, headers={"Location": location})))
    with pytest.raises(Refused, match="no address"):
        list(server.provider().changes(WORK, "sync:t", {}))


def test_a_list_with_an_entry_that_has_no_address_removes_nothing() -> None:
    server = Odd(lambda _: multistatus(entry("http://[", "<getetag>1</getetag>"), token="t"))
    with pytest.raises(TryLater, match="no calendar data"):
        list(server.provider().changes(WORK, "sync:t", {}))
