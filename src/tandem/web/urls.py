"""Every address of the pages, grouped by the module that answers it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from tandem.web import (
    accounts,
    agenda,
    company,
    convert,
    decisions,
    events,
    gate,
    google_accounts,
    handoffs,
    hooks,
    mail,
    notes,
    records,
    search,
    skipped,
    users,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *gate.urls,
    *hooks.urls,
    *events.urls,
    *handoffs.urls,
    *accounts.urls,
    *google_accounts.urls,
    *skipped.urls,
    *decisions.urls,
    *agenda.urls,
    *mail.urls,
    *users.urls,
    *company.urls,
    *search.urls,
    *records.urls,
    *convert.urls,
    *notes.urls,
]

handler400 = "tandem.web.errors.bad_request"
handler403 = "tandem.web.errors.forbidden"
handler404 = "tandem.web.errors.not_found"
handler500 = "tandem.web.errors.server_error"
