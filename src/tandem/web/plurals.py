"""The part of an address that names a kind of record: `people` in /people/…"""

from __future__ import annotations

from django.urls import register_converter

from tandem.crm.kinds import BY_PLURAL


class PluralConverter:
    """Matches a kind's plural and nothing else."""

    regex = "|".join(BY_PLURAL)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PluralConverter, "plural")

# routes are written with this, so that the converter is known before they are
PLURAL = "<plural:plural>"
