"""What keeps an edit from going out at once: said before it is saved, after it, and while it waits."""

from __future__ import annotations

from tandem.mailboxes.models import AccountState, Calendar
from tandem.team.models import Company


def obstacle(calendar: Calendar) -> str:
    """A sentence on why an edit in `calendar` would wait now, or "" when it goes out at once."""
    account = calendar.account
    if Company.current().writing_held:
        return "Writing to calendars is paused for the whole company. Edits wait here until an administrator goes on."
    if account.state == AccountState.DISCONNECTED:
        return f"{account.name} is disconnected. Edits wait here until it is connected again."
    if account.state == AccountState.RECONNECT:
        return f"{account.name} has to be reconnected. Edits wait here until then."
    if calendar.held:
        return f"{calendar.name} is stopped. Edits wait here until you let it go on."
    if not calendar.is_read:
        return f"{calendar.name} is switched off. Edits wait here until it is read again."
    if calendar.error:
        return f"{calendar.name} does not answer. Edits wait here, and Tandem tries again by itself."
    return ""
