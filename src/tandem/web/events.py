"""Create, see, change and cancel events: the addresses, by the module that answers each."""

from __future__ import annotations

from django.urls import URLPattern

from tandem.web import event_edits, event_forms, event_pages

urls: list[URLPattern] = [*event_forms.urls, *event_pages.urls, *event_edits.urls]
