"""Notes on a record: written at the head of its timeline, by plain POST or through htmx."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from tandem.crm.kinds import BY_PLURAL
from tandem.crm.models import Note, Record
from tandem.crm.verbs import Invalid, NotAllowed, add_note, delete_note
from tandem.web import record_page
from tandem.web.plurals import PLURAL
from tandem.web.request import SignedInRequest, editors_only, is_fragment, plain
from tandem.web.templatetags.tandem import record_url

MOST = 20_000


@editors_only
@require_POST
def add(request: SignedInRequest, plural: str, record_id: UUID) -> HttpResponse:
    record = get_object_or_404(Record, id=record_id, kind=BY_PLURAL[plural].kind)
    text = plain(request.POST.get("text", ""))
    error = f"The note is too long: {MOST:,} characters are the most." if len(text) > MOST else ""
    if not error:
        try:
            add_note(request.user, record, text, now=timezone.now())
        except Invalid as invalid:
            error = invalid.words
    if not error and not is_fragment(request):
        return redirect(record_url(record))
    context = record_page.context(record, request.user, timezone.now())
    context |= {"note_error": error, "note_text": text if error else ""}
    template = "records/_timeline.html" if is_fragment(request) else "records/record.html"
    return render(request, template, context, status=422 if error else 200)


@editors_only
@require_POST
def delete(request: SignedInRequest, note_id: UUID) -> HttpResponse:
    note = get_object_or_404(Note.objects.select_related("record"), id=note_id)
    try:
        delete_note(request.user, note)
    except NotAllowed as refused:
        messages.error(request, refused.words)
    else:
        messages.success(request, "Deleted the note.")
    return redirect(record_url(note.record))


urls: list[URLPattern] = [
    path(f"{PLURAL}/<uuid:record_id>/notes", add, name="note-add"),
    path("notes/<uuid:note_id>/delete", delete, name="note-delete"),
]
