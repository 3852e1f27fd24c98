"""One run: a first read that writes nothing, many steps, and the invariants."""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulation import google_steps, invariants, steps
from tests.simulation.google_world import GoogleWorld
from tests.simulation.world import Violation, World

KINDS: dict[str, tuple[type[World], Mapping[steps.Step, int], steps.Step]] = {
    "caldav": (World, steps.STEPS, steps.put),
    "google": (GoogleWorld, google_steps.STEPS, google_steps.put),
}
"""What the other side is, what happens, and how an event comes to be there."""


def run(seed: int, count: int, kind: str = "caldav") -> World:
    """Raises `Violation` with the story and the line that replays it."""
    make, happens, put = KINDS[kind]
    world = make(seed)
    try:
        for _ in range(world.chance.randrange(6)):
            world.note(put(world))
        for calendar in world.calendars:
            world.sync(calendar)
        if world.server.writes:
            raise Violation("a first read wrote something")
        for _ in range(count):
            steps.take_step(world, happens)
        world.settle()
        invariants.check(world)
    except Exception as error:
        story = "\n".join(world.log)
        replay = f"python -m tests.simulation --with {kind} --seed {seed} --steps {count}"
        raise Violation(f"{story}\n{type(error).__name__}: {error}\nreplay: {replay}") from error
    return world
