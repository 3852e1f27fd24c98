"""The parameter `fields`: which parts of an answer the client wants ("Performance tips: Partial response")."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sandbox.google.problems import Json, bad_parameter

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|\*|[(),/]")
Mask = dict[str, Any]


@lru_cache(maxsize=256)
def mask(text: str) -> Mask:
    """`items(id,start/dateTime),nextPageToken` as nested names; an empty mask takes all. Raises `Problem` 400."""
    tokens = _TOKEN.findall(text.replace(" ", ""))
    if "".join(tokens) != text.replace(" ", "") or not tokens:
        raise bad_parameter(f"Invalid field selection {text}", "fields")
    found, rest = _group(tokens, text)
    if rest:
        raise bad_parameter(f"Invalid field selection {text}", "fields")
    return found


def apply(wanted: Mask, value: Any) -> Any:
    """The chosen parts. A field that the value lacks is simply absent."""
    if not wanted or wanted.get("*") == {}:
        return value
    if isinstance(value, list):
        return [apply(wanted, item) for item in value]
    if not isinstance(value, dict):
        return value
    result: Json = {}
    for name, part in value.items():
        if name in wanted or "*" in wanted:
            result[name] = apply(wanted[name] if name in wanted else wanted["*"], part)
    return result


def check_names(wanted: Mask, known: frozenset[str], text: str) -> None:
    """Raises `Problem` 400 for a name that the answer can never have."""
    wrong = wanted.keys() - known - {"*"}
    if wrong:
        raise bad_parameter(f"Invalid field selection {min(wrong)}", "fields")


def _group(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    found: Mask = {}
    while True:
        if not tokens or tokens[0] in "(),/":
            raise bad_parameter(f"Invalid field selection {text}", "fields")
        name, tokens = tokens[0], tokens[1:]
        inner: Mask = {}
        if tokens[:1] == ["/"]:
            inner, tokens = _path(tokens[1:], text)
        elif tokens[:1] == ["("]:
            inner, tokens = _group(tokens[1:], text)
            if tokens[:1] != [")"]:
                raise bad_parameter(f"Invalid field selection {text}", "fields")
            tokens = tokens[1:]
        before = found.get(name)
        found[name] = inner if before is None else {**before, **inner} if before and inner else {}
        if tokens[:1] != [","]:
            return found, tokens
        tokens = tokens[1:]


def _path(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    """One name after a slash, with what hangs on it."""
    if not tokens or tokens[0] in "(),/":
        raise bad_parameter(f"Invalid field selection {text}", "fields")
    name, rest = tokens[0], tokens[1:]
    if rest[:1] == ["/"]:
        inner, rest = _path(rest[1:], text)
        return {name: inner}, rest
    if rest[:1] == ["("]:
        inner, rest = _group(rest[1:], text)
        if rest[:1] != [")"]:
            raise bad_parameter(f"Invalid field selection {text}", "fields")
        return {name: inner}, rest[1:]
    return {name: {}}, rest
