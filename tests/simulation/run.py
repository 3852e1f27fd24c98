"""One run: a first read that writes nothing, many steps, and the invariants."""

from __future__ import annotations

from tests.simulation import invariants, steps
from tests.simulation.world import Violation, World


def run(seed: int, count: int) -> World:
    """Raises `Violation` with the story and the line that replays it."""
    world = World(seed)
    try:
        for _ in range(world.chance.randrange(6)):
            world.note(steps.put(world))
        for calendar in world.calendars:
            world.sync(calendar)
        if world.server.writes:
            raise Violation("a first read wrote something")
        for _ in range(count):
            steps.take_step(world)
        world.settle()
        invariants.check(world)
    except Exception as error:
        story = "\n".join(world.log)
        replay = f"python -m tests.simulation --seed {seed} --steps {count}"
        raise Violation(f"{story}\n{type(error).__name__}: {error}\nreplay: {replay}") from error
    return world
