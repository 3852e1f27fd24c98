"""A text as a tree of components whose lines keep their every letter, for editing without rewriting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tandem.calendaring.ics.lines import (
    Params,
    Unreadable,
    cut,
    encode_param,
    fold,
    logical,
    physical,
    split,
)


@dataclass(slots=True)
class Line:
    """One content line: `raw` as it stands there (folds, line end), and what it says."""

    raw: str
    name: str
    params: Params
    value: str

    @classmethod
    def parse(cls, raw: str) -> Line:
        return cls(raw, *split(logical(raw)))

    @property
    def text(self) -> str:
        return logical(self.raw)

    @property
    def head(self) -> str:
        """Name and parameters as they stand there."""
        return cut(self.text)[0]


@dataclass(slots=True)
class Component:
    """`BEGIN` to `END`, with the lines and components between in their order."""

    name: str
    begin: Line
    newline: str
    parts: list[Line | Component] = field(default_factory=list)
    end: Line | None = None

    def __iter__(self) -> Iterator[Line]:
        """Its own lines, without those of the components inside."""
        return (part for part in self.parts if isinstance(part, Line))

    def lines(self, *names: str) -> list[Line]:
        return [line for line in self if line.name in names]

    def line(self, name: str) -> Line | None:
        return next((line for line in self if line.name == name), None)

    def components(self, name: str) -> list[Component]:
        return [part for part in self.parts if isinstance(part, Component) and part.name == name]

    def make(self, name: str, value: str, params: Mapping[str, str] | None = None) -> Line:
        """A new line, folded. `value` is written as it stands: encode TEXT before."""
        head = "".join(f";{key}={encode_param(text)}" for key, text in (params or {}).items())
        raw = fold(f"{name}{head}:{value}", self.newline)
        return Line.parse(raw)

    def written(self, head: str, value: str) -> Line:
        """A new line with a head that is in order already (`lines.set_param`)."""
        return Line.parse(fold(f"{head}:{value}", self.newline))

    def replace(self, old: Line, new: Line) -> None:
        self.parts = [new if part is old else part for part in self.parts]

    def put(self, line: Line) -> None:
        """Set a property that stands once: in place of the first, or behind the other properties."""
        self.put_all([line.name], [line])

    def put_all(self, names: list[str], lines: list[Line]) -> None:
        """`lines` in place of all lines called `names`, at the place of the first of these."""
        at = next((at for at, part in enumerate(self.parts) if isinstance(part, Line) and part.name in names), None)
        place = self._behind_properties() if at is None else at
        kept = [part for part in self.parts if not (isinstance(part, Line) and part.name in names)]
        self.parts = [*kept[:place], *lines, *kept[place:]]

    def drop(self, *names: str) -> None:
        self.parts = [part for part in self.parts if not (isinstance(part, Line) and part.name in names)]

    def remove(self, gone: Line | Component) -> None:
        self.parts = [part for part in self.parts if part is not gone]

    def add(self, line: Line) -> None:
        """One more property: behind the last of its name, or behind the other properties."""
        same = [at for at, part in enumerate(self.parts) if isinstance(part, Line) and part.name == line.name]
        self.parts.insert(same[-1] + 1 if same else self._behind_properties(), line)

    def _behind_properties(self) -> int:
        for at, part in enumerate(self.parts):
            if isinstance(part, Component):
                return at
        return len(self.parts)

    def properties(self) -> dict[str, tuple[Params, str]]:
        """The first line of each name, as `read` looks at them."""
        found: dict[str, tuple[Params, str]] = {}
        for line in self:
            found.setdefault(line.name, (line.params, line.value))
        return found

    def raw(self) -> str:
        inside = "".join(part.raw if isinstance(part, Line) else part.raw() for part in self.parts)
        return self.begin.raw + inside + (self.end.raw if self.end else "")


@dataclass(slots=True)
class Document:
    """A whole text: what stands before, the VCALENDAR, what stands behind."""

    before: str
    calendar: Component
    behind: str

    def raw(self) -> str:
        return self.before + self.calendar.raw() + self.behind


def parse(text: str) -> Document:
    """The tree of a text with one VCALENDAR. Raises `Unreadable` when it has none or breaks off."""
    newline = "\r\n" if "\r\n" in text or "\n" not in text else "\n"
    before, behind = "", ""
    root: Component | None = None
    stack: list[Component] = []
    for raw in physical(text):
        line = Line.parse(raw)
        if line.name == "BEGIN" and (stack or root is None):
            inner = Component(line.value.strip().upper(), line, newline)
            if stack:
                stack[-1].parts.append(inner)
            elif inner.name != "VCALENDAR":
                raise Unreadable("It is no calendar data.")
            root = root or inner
            stack.append(inner)
        elif line.name == "END" and stack:
            if stack[-1].name != line.value.strip().upper():
                raise Unreadable("Its parts do not end where they should.")
            stack.pop().end = line
        elif stack:
            stack[-1].parts.append(line)
        elif root is None:
            before += raw
        else:
            behind += raw
    if root is None or stack:
        raise Unreadable("It breaks off in the middle." if stack else "It is no calendar data.")
    return Document(before, root, behind)


def make_component(name: str, newline: str, parts: list[Line | Component]) -> Component:
    """A new component around `parts`."""
    begin, end = (Line.parse(f"{word}:{name}{newline}") for word in ("BEGIN", "END"))
    return Component(name, begin, newline, parts, end)
