"""CalDAV keeps the contract with a real Radicale: with sync-collection, and as if it had none."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from tandem.calendaring.provider import CursorExpired
from tandem.providers.caldav import CalDavProvider
from tests.contract.suite import NOW, PLANNING, CalendarFileContract, CalendarFiles, Service, all_of, known, resource
from tests.proxy import Answer, Asked, CountingProxy, Hang
from tests.radicale import PASSWORDS, RadicaleServer
from tests.radicale import radicale_server as radicale_server

_numbers = itertools.count()


class RadicaleService(CalendarFiles):
    """Two calendars of their own for each test, behind a proxy that counts and interferes."""

    secret = PASSWORDS["alice"]

    def __init__(self, server: RadicaleServer, proxy: CountingProxy) -> None:
        self.server, self.proxy = server, proxy
        number = next(_numbers)
        self.calendar = server.make_calendar("alice", f"wörk {number}")
        self.readonly = server.make_calendar("alice", f"readonly{number}")
        server.put("alice", f"{self.readonly}one.ics", resource(*PLANNING))
        self.provider = CalDavProvider(server.credentials("alice", url=proxy.url), now=lambda: NOW)
        self.provider.chunk = 20
        proxy.interfere = self._interfere
        self._losing = self._forgetting = False
        self._then: Callable[[], None] | None = None

    def store(self, remote_id: str, raw: str) -> None:
        self.server.put("alice", remote_id, raw)

    def get(self, remote_id: str) -> str | None:
        found = self.server.get("alice", remote_id)
        return found[0] if found else None

    def delete(self, remote_id: str) -> None:
        self.server.delete("alice", remote_id)

    def forget_cursors(self) -> None:
        self._forgetting = True

    def lose_next_answer(self) -> None:
        self._losing = True

    def write_after_next_write(self, name: str, raw: str) -> None:
        self._then = lambda: self.put(name, raw) and None

    @property
    def requests(self) -> int:
        return len(self.proxy.requests)

    @property
    def writes(self) -> int:
        return len(self.proxy.writes)

    def _interfere(self, asked: Asked) -> Answer | Callable[[Answer], Answer] | None:
        if asked.method in {"PUT", "DELETE"} and self._losing:
            self._losing = False
            raise Hang
        if asked.method == "PUT" and self._then:
            then, self._then = self._then, None
            return lambda answer: (then(), answer)[1]
        if self._forgetting and re.search(rb"<D:sync-token>.+</D:sync-token>", asked.body):
            return Answer(403, {}, b'<error xmlns="DAV:"><valid-sync-token/></error>')
        return None


@pytest.fixture
def proxy(radicale_server: RadicaleServer) -> Iterator[CountingProxy]:
    with CountingProxy(radicale_server.url) as proxy:
        yield proxy


class TestRadicale(CalendarFileContract):
    @pytest.fixture
    def service(self, radicale_server: RadicaleServer, proxy: CountingProxy) -> Iterator[RadicaleService]:
        service = RadicaleService(radicale_server, proxy)
        yield service
        service.provider.close()

    def test_radicale_itself_forgets_a_token_it_never_gave(self, service: Service):
        token = "sync:http://radicale.org/ns/sync/" + "0" * 64
        with pytest.raises(CursorExpired):
            list(service.provider.changes(service.calendar, token, {}))

    def test_discovery_leaves_out_task_lists(self, service: Service, radicale_server: RadicaleServer):
        tasks = radicale_server.make_calendar("alice", f"tasks{next(_numbers)}", kinds=("VTODO",))
        assert tasks not in {calendar.remote_id for calendar in service.provider.discover().calendars}

    def test_discovery_tells_name_and_colour(self, service: Service, radicale_server: RadicaleServer):
        path = radicale_server.make_calendar("alice", f"named{next(_numbers)}", title="Kunden & Köln")
        found = {calendar.remote_id: calendar for calendar in service.provider.discover().calendars}
        assert (found[path].name, found[path].color) == ("Kunden & Köln", "#2f6fde")


class TestRadicaleWithoutSyncCollection(CalendarFileContract):
    """The same server behind a proxy that refuses sync-collection, as older servers do."""

    @pytest.fixture
    def service(self, radicale_server: RadicaleServer, proxy: CountingProxy) -> Iterator[RadicaleService]:
        service = RadicaleService(radicale_server, proxy)
        usual = service._interfere

        def refuse(asked: Asked) -> Answer | Callable[[Answer], Answer] | None:
            if b"sync-collection" in asked.body:
                return Answer(403, {}, b'<error xmlns="DAV:"><supported-report/></error>')
            return usual(asked)

        proxy.interfere = refuse
        yield service
        service.provider.close()

    def test_a_forgotten_cursor_says_so_and_a_listing_works_after_it(self, service: Service):
        """A ctag is compared, never forgotten: an unknown one leads to a whole listing at once."""
        remote_id = service.put("one", resource(*PLANNING))
        pages = list(service.provider.changes(service.calendar, "ctag:of another time", {}))
        assert set(all_of(pages)[0]) == {remote_id}
        assert pages[-1].complete

    def test_any_change_is_a_whole_listing_that_fetches_only_what_differs(self, service: Service):
        service.put("same", resource(*PLANNING, uid="same"))
        items, cursor = self.listing(service)
        new = service.put("new", resource(*PLANNING, uid="new"))
        pages = list(service.provider.changes(service.calendar, cursor, known(items)))
        assert set(all_of(pages)[0]) == {new}
        assert pages[-1].complete
