"""The two ways in which a verb says no, each with words for the person who asked."""

from __future__ import annotations


class NotAllowed(Exception):
    """This user may not do that. `words` say why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Invalid(Exception):
    """What was asked for can't be. `field` names the form's field, `words` say why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field
        self.words = words
