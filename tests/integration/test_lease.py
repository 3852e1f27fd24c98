"""One lease: two workers never save for one calendar, however slow one of them is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tandem.mailboxes.lease import LeaseLost, LeaseTaken, take
from tandem.team.models import Company

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_second_worker_is_turned_away() -> None:
    clock = Clock()
    with take("calendar:1", clock=clock), pytest.raises(LeaseTaken), take("calendar:1", clock=clock):
        pass


def test_a_lease_given_back_is_free_at_once() -> None:
    clock = Clock()
    with take("calendar:1", clock=clock):
        pass
    with take("calendar:1", clock=clock):
        pass


def test_a_worker_that_slept_past_its_lease_saves_nothing() -> None:
    clock = Clock()
    Company.current()
    with take("calendar:1", clock=clock, seconds=60) as slow:
        clock.forward(61)
        with take("calendar:1", clock=clock, seconds=60), pytest.raises(LeaseLost), slow.guarding():
            Company.objects.update(name="Saved by the slow one")
        assert Company.current().name == "Tandem"


def test_a_worker_that_slept_harms_the_next_one_not_by_giving_back() -> None:
    clock = Clock()
    with take("calendar:1", clock=clock, seconds=60):
        clock.forward(61)
        with take("calendar:1", clock=clock, seconds=60) as next_one:
            pass
    with take("calendar:1", clock=clock) as third:
        assert third.token != next_one.token


def test_guarding_renews_the_lease() -> None:
    clock = Clock()
    with take("calendar:1", clock=clock, seconds=60) as lease:
        for _ in range(5):
            clock.forward(50)
            with lease.guarding():
                pass
        with pytest.raises(LeaseTaken), take("calendar:1", clock=clock):
            pass


def test_a_failed_block_saves_nothing() -> None:
    clock = Clock()
    Company.current()

    def save_and_fail() -> None:
        with lease.guarding():
            Company.objects.update(name="Half done")
            raise ValueError("half done")

    with take("calendar:1", clock=clock) as lease, pytest.raises(ValueError, match="half done"):
        save_and_fail()
    assert Company.current().name == "Tandem"
