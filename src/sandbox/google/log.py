"""The request log: every API request that came in, and how it was answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from sandbox.google.problems import Json


@dataclass(slots=True)
class Row:
    """`method` is the API's name (`events.patch`), `reason` an error's. `status` 0: the answer was lost.

    `inside` marks what a test or the sandbox's own pages did by themselves, not a client over HTTP.
    """

    number: int
    time: str
    user: str
    method: str
    verb: str
    path: str
    query: dict[str, list[str]]
    body: Json | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    status: int = 0
    reason: str = ""
    inside: bool = False

    @property
    def writes(self) -> bool:
        """Whether it asked for a change of an event or a calendar (`watch` and `stop` do not)."""
        return self.verb != "GET" and self.method not in {"events.watch", "calendarList.watch", "channels.stop"}


@dataclass(slots=True)
class Log:
    rows: list[Row] = field(default_factory=list)
    taken: int = 0
    """How many requests there were; a sandbox that was kept in a file goes on counting."""

    def add(self, row: Row) -> None:
        """Number a request, and keep it."""
        self.taken += 1
        row.number = self.taken
        self.rows.append(row)

    def outside(self) -> list[Row]:
        """What clients sent."""
        return [row for row in self.rows if not row.inside]

    def writes(self) -> list[Row]:
        """What clients sent that asked for a change."""
        return [row for row in self.outside() if row.writes]

    def calls(self, method: str) -> list[Row]:
        return [row for row in self.outside() if row.method == method]

    def as_json(self) -> list[Json]:
        return [asdict(row) for row in self.rows]
