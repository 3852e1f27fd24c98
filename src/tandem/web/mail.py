"""What the local mail sink caught: for looking at samples, and only where settings name its folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from tandem.web.request import SignedInRequest

MOST = 200


@dataclass(frozen=True, slots=True)
class Caught:
    """One message of the sink. `name` is its file's name without the ending."""

    name: str
    at: datetime
    subject: str
    sender: str
    to: str


def _folder(request: SignedInRequest) -> Path:
    """The sink's folder. Raises `Http404` where there is none, `PermissionDenied` for a read-only user."""
    if not settings.MAIL_SINK:
        raise Http404
    if not request.user.may_edit:
        raise PermissionDenied("Sample mail is for those who may change things. Your role is read-only.")
    return Path(settings.MAIL_SINK)


def _message(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)


def _caught(file: Path) -> Caught:
    message = _message(file)
    at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return Caught(file.stem, at, str(message["subject"] or ""), str(message["from"] or ""), str(message["to"] or ""))


def mail(request: SignedInRequest) -> HttpResponse:
    folder = _folder(request)
    files = sorted(folder.glob("*.eml"), key=lambda file: (file.stat().st_mtime, file.name), reverse=True)
    context = {"caught": [_caught(file) for file in files[:MOST]], "more": max(0, len(files) - MOST), "nav": "mail"}
    return render(request, "mail/list.html", context)


def message(request: SignedInRequest, name: str) -> HttpResponse:
    folder = _folder(request)
    # by comparing names, so that no path can be smuggled in
    file = next((file for file in folder.glob("*.eml") if file.stem == name), None)
    if file is None:
        raise Http404
    parsed = _message(file)
    shown = ("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Content-Type")
    context = {
        "caught": _caught(file),
        "headers": [(header, str(parsed[header])) for header in shown if parsed[header]],
        "texts": _parts(parsed, "text/plain"),
        "calendars": _parts(parsed, "text/calendar"),
        "nav": "mail",
    }
    return render(request, "mail/message.html", context)


def _parts(parsed: EmailMessage, kind: str) -> list[str]:
    found = (part for part in parsed.walk() if part.get_content_type() == kind)
    return [str(part.get_content()).replace("\r\n", "\n") for part in found if isinstance(part, EmailMessage)]


urls: list[URLPattern] = [path("mail", mail, name="mail"), path("mail/<str:name>", message, name="mail-message")]
