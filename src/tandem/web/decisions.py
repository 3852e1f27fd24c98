"""What waits for a person's choice."""

from __future__ import annotations

from django.urls import URLPattern

urls: list[URLPattern] = []
