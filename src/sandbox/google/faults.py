"""Faults on purpose: delays, refusals, errors, and answers that are lost before or after the write."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.google import problems

Kind = Literal[
    "latency", "429", "403 rateLimitExceeded", "403 userRateLimitExceeded", "403 quotaExceeded", "500", "503",
    "lost before", "lost after",
]  # fmt: skip
_REFUSALS: dict[str, Callable[[], problems.Problem]] = {
    "429": problems.too_many_requests,
    "403 rateLimitExceeded": problems.rate_limit,
    "403 userRateLimitExceeded": problems.user_rate_limit,
    "403 quotaExceeded": problems.quota_exceeded,
    "500": problems.backend_error,
    "503": problems.unavailable,
}


@dataclass(slots=True)
class Fault:
    """Strikes `times` calls (None: for ever) of `method` ("events.insert", "events.*", "*"), after `skip` of them."""

    kind: Kind
    method: str = "*"
    times: int | None = 1
    skip: int = 0
    chance: float = 1.0
    seconds: float = 0.0
    user: str = ""

    def matches(self, method: str, user: str) -> bool:
        prefix = self.method.removesuffix("*")
        named = method == self.method or (self.method.endswith("*") and method.startswith(prefix))
        return named and self.user in {"", user}


class Faults:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._waiting: list[Fault] = []
        self.struck: list[tuple[str, str]] = []
        """(method, kind) of each that struck."""

    def add(self, kind: Kind, method: str = "*", **rest: object) -> Fault:
        fault = Fault(kind, method, **rest)  # type: ignore[arg-type]
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        self._waiting.clear()

    def due(self, method: str, user: str) -> Fault | None:
        """The fault that strikes this call, used up by it."""
        for fault in self._waiting:
            if not fault.matches(method, user):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if self._random.random() >= fault.chance:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
            self.struck.append((method, fault.kind))
            return fault
        return None


def before(fault: Fault | None) -> None:
    """What happens instead of the call. Raises `Problem` or `AnswerLost`; latency only waits."""
    if fault is None:
        return
    if fault.kind == "latency":
        time.sleep(fault.seconds)
    elif fault.kind == "lost before":
        raise problems.AnswerLost("lost before it was carried out")
    elif fault.kind in _REFUSALS:
        raise _REFUSALS[fault.kind]()


def after(fault: Fault | None) -> None:
    """What happens once the call has been carried out. Raises `AnswerLost`."""
    if fault is not None and fault.kind == "lost after":
        raise problems.AnswerLost("lost after it was carried out")
