"""A few dozen short runs of the simulation. A violation prints its story and the line that replays it."""

from __future__ import annotations

import pytest

from tests.simulation.run import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("seed", range(1, 25))
def test_nothing_is_lost_doubled_or_written_without_a_person(seed: int) -> None:
    run(seed, 40)


@pytest.mark.parametrize("seed", range(1, 19))
def test_the_same_holds_for_google(seed: int) -> None:
    run(seed, 40, "google")
