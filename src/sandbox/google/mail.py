"""The ledger of the mails that Google would send, one row for each recipient. None is ever sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from sandbox.google.problems import Json

Kind = Literal["invitation", "update", "cancellation", "reply"]


@dataclass(frozen=True, slots=True)
class Mail:
    """`request` is the number of the request log's row that caused it; `event` the id in the sender's calendar."""

    request: int
    time: str
    kind: Kind
    sender: str
    to: str
    calendar: str
    event: str
    uid: str
    summary: str


class Ledger:
    def __init__(self) -> None:
        self.rows: list[Mail] = []

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.rows if mail.to == address]

    def as_json(self) -> list[Json]:
        return [asdict(mail) for mail in self.rows]
