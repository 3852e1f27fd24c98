"""Words and shapes that templates need: dates as people write them, avatars, icons."""

from __future__ import annotations

from django import template

register = template.Library()
