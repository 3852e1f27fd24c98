"""Accounts and their calendars."""

from __future__ import annotations

from django.urls import URLPattern

urls: list[URLPattern] = []
