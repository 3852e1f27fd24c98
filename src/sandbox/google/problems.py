"""What the API refuses, in the shape of Google's "Handle API errors": a code, a domain, a reason."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Problem(Exception):
    """An error answer. `code` is the HTTP status; `location` names the parameter, field or header at fault."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: str = "",
        kind: str = "parameter",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self._error: Json = {"domain": domain, "reason": reason, "message": message}
        if location:
            self._error |= {"locationType": kind, "location": location}

    def body(self) -> Json:
        return {"error": {"errors": [self._error], "code": self.code, "message": self.message}}


class NotModified(Exception):
    """304: what the client has is what there is. `etag` names it."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class AnswerLost(ConnectionError):
    """The connection ends without an answer. The request may have been carried out."""


def invalid(message: str, location: str = "", *, reason: str = "invalid", kind: str = "parameter") -> Problem:
    return Problem(400, reason, message, location=location, kind=kind)


def bad_parameter(message: str, location: str) -> Problem:
    return invalid(message, location, reason="invalidParameter")


def required(what: str) -> Problem:
    return Problem(400, "required", f"Missing {what}.")


def time_range_empty(location: str = "timeMax") -> Problem:
    return Problem(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location=location)


def unauthenticated() -> Problem:
    return Problem(401, "authError", "Invalid Credentials", location="Authorization", kind="header")


def insufficient_scope() -> Problem:
    return Problem(403, "insufficientPermissions", "Insufficient Permission")


def needs_writer() -> Problem:
    words = "You need to have writer access to this calendar."
    return Problem(403, "requiredAccessLevel", words, domain="calendar")


def needs_owner() -> Problem:
    return Problem(403, "requiredAccessLevel", "You need to have owner access to this calendar.", domain="calendar")


def not_organizer() -> Problem:
    words = "Shared properties can only be changed by the organizer of the event."
    return Problem(403, "forbiddenForNonOrganizer", words, domain="calendar")


def not_found() -> Problem:
    return Problem(404, "notFound", "Not Found")


def duplicate() -> Problem:
    return Problem(409, "duplicate", "The requested identifier already exists.")


def deleted() -> Problem:
    return Problem(410, "deleted", "Resource has been deleted")


def full_sync_required() -> Problem:
    words = "Sync token is no longer valid, a full sync is required."
    return Problem(410, "fullSyncRequired", words, domain="calendar", location="syncToken")


def updated_min_too_long_ago() -> Problem:
    words = "The requested minimum modification time lies too far in the past."
    return Problem(410, "updatedMinTooLongAgo", words, domain="calendar", location="updatedMin")


def condition_not_met() -> Problem:
    return Problem(412, "conditionNotMet", "Precondition Failed", location="If-Match", kind="header")


def user_rate_limit() -> Problem:
    return Problem(403, "userRateLimitExceeded", "User Rate Limit Exceeded", domain="usageLimits")


def rate_limit() -> Problem:
    return Problem(403, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")


def quota_exceeded() -> Problem:
    return Problem(403, "quotaExceeded", "Calendar usage limits exceeded.", domain="usageLimits")


def too_many_requests() -> Problem:
    return Problem(429, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")


def backend_error() -> Problem:
    return Problem(500, "backendError", "Backend Error")


def unavailable() -> Problem:
    return Problem(503, "backendError", "Backend Error")
