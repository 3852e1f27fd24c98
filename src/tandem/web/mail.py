"""What the local mail sink took (samples only)."""

from __future__ import annotations

from django.urls import URLPattern

urls: list[URLPattern] = []
