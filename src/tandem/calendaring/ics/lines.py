"""Content lines: RFC 5545 3.1 (folding), 3.2 (parameters), 3.3.11 (TEXT), and RFC 6868 (carets)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

Params = Mapping[str, str]

_BREAK = r"(?:\r*\n|\r)"
_FOLD = re.compile(_BREAK + "[ \t]")
_PHYSICAL = re.compile(f"[^\r\n]*{_BREAK}|[^\r\n]+")
# What neither a database column nor an encoder takes: control characters and halves of surrogate pairs.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NEWLINES = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PARAM = re.compile(r';([^=;:"]+)(?:=((?:"[^"]*"|[^";:])*))?')
_HEAD = re.compile(r'^([A-Za-z0-9-]+)((?:;[^=;:"]+(?:=(?:"[^"]*"|[^";:])*)?)*):', re.DOTALL)
_CARET = {"^n": "\n", "^N": "\n", "^^": "^", "^'": '"'}


class Unreadable(ValueError):
    """This text can't be read as a calendar event. `words` says why, for the person whose event it is."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def unfold(text: str) -> list[str]:
    """The logical lines of `text`, whatever its line ends are; a byte order mark is dropped."""
    if _UNWANTED.search(text):
        text = _UNWANTED.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            text = re.sub(_BREAK, "\n", text)
    return text.replace("\n ", "").replace("\n\t", "").removeprefix("\ufeff").split("\n")


def physical(text: str) -> Iterator[str]:
    """The pieces that one logical line each is made of, its folds and its line end included.

    Joined they give `text` back, letter by letter.
    """
    logical = ""
    for piece in _PHYSICAL.findall(text):
        if logical and not piece.startswith((" ", "\t")):
            yield logical
            logical = ""
        logical += piece
    if logical:
        yield logical


def logical(piece: str) -> str:
    """The content of one piece of `physical`: without folds and line end."""
    return _UNWANTED.sub("", _FOLD.sub("", piece).rstrip("\r\n").removeprefix("\ufeff"))


def fold(line: str, newline: str = "\r\n") -> str:
    """`line` in pieces of at most 75 octets, never through a character, its line end added.

    Line breaks inside `line` are dropped: no value can begin a line of its own.
    """
    line = _UNWANTED.sub("", _NEWLINES.sub("", line))
    if len(line) <= 75 and line.isascii():
        return line + newline
    pieces, octets, start = [], 0, 0
    for at, character in enumerate(line):
        size = len(character.encode())
        if octets + size > 75:
            pieces.append(line[start:at])
            start, octets = at, 1
        octets += size
    pieces.append(line[start:])
    return (newline + " ").join(pieces) + newline


def split(line: str) -> tuple[str, Params, str]:
    """Name (upper case), parameters and value of a logical line. A line without a colon has no name."""
    head, value = cut(line)
    if not head:
        return "", {}, ""
    name, params = read_head(head)
    return name, params, value


def cut(line: str) -> tuple[str, str]:
    """What stands before the colon that ends the parameters, and the value; two empty texts without one."""
    head, colon, value = line.partition(":")
    if head.count('"') & 1:
        match = _HEAD.match(line)
        return (line[: match.end() - 1], line[match.end() :]) if match else ("", "")
    return (head, value) if colon else ("", "")


def set_param(head: str, key: str, value: str | None) -> str:
    """`head` with one parameter set or (None) taken out; all others stay letter by letter."""
    new = "" if value is None else f";{key}={encode_param(value)}"
    found = False

    def swap(match: re.Match[str]) -> str:
        nonlocal found
        if match.group(1).strip().upper() != key:
            return match.group()
        first, found = not found, True
        return new if first else ""

    changed = _PARAM.sub(swap, head)
    return changed if found else head + new


@lru_cache(maxsize=8192)
def read_head(head: str) -> tuple[str, Params]:
    """Name and parameters of what stands before the colon. The first of two like parameters counts."""
    name, semicolon, _ = head.partition(";")
    params: dict[str, str] = {}
    if semicolon:
        for key, raw in _PARAM.findall(head[len(name) :]):
            params.setdefault(key.strip().upper(), decode_param(raw.strip()))
    # Some exports group lines ("item1.SUMMARY", a vCard habit).
    return name.strip().rpartition(".")[2].upper(), params


def decode_param(raw: str) -> str:
    """A parameter's value, without its quotes and carets (RFC 6868)."""
    text = raw.replace('"', "")
    if "^" in text:
        text = re.sub(r"\^[nN^']", lambda match: _CARET[match.group()], text)
    return text


def encode_param(text: str) -> str:
    """`text` as a parameter's value: carets for what can't stand there, quotes where needed."""
    text = _UNWANTED.sub("", _NEWLINES.sub("\n", text))
    text = text.replace("^", "^^").replace("\n", "^n").replace('"', "^'").replace("\t", " ")
    return f'"{text}"' if re.search("[,;:]", text) else text


def decode_text(raw: str) -> str:
    r"""A TEXT value: `\n`, `\,`, `\;` and `\\` resolved; any other escaped character is itself."""
    if "\\" not in raw:
        return raw
    return _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), raw)


def encode_text(text: str) -> str:
    """`text` as a TEXT value. No line break survives as one."""
    text = _NEWLINES.sub("\n", text)
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
