"""Records and their meetings in one transaction: what pages and the API call.

The CRM's verbs say whose addresses changed; here those records get their meetings anew.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tandem.crm import verbs
from tandem.crm.models import Kind, Record
from tandem.meetings import linking
from tandem.team.models import User


@transaction.atomic
def save(user: User, record: Record | None, kind: Kind, data: verbs.RecordData, *, now: datetime) -> Record:
    """Make or change a record; past and future meetings of its new addresses are on it at once.

    Raises `crm.verbs.NotAllowed` and `crm.verbs.Invalid`.
    """
    done = verbs.save(user, record, kind, data, now=now)
    linking.relink(done.changed, now=now)
    return done.record


@transaction.atomic
def delete(user: User, record: Record, *, now: datetime) -> None:
    """Delete a record; its meetings stay in their calendars. Raises `crm.verbs.NotAllowed`."""
    linking.relink(verbs.delete(user, record, now=now), now=now)


@transaction.atomic
def convert(user: User, lead: Record, data: verbs.ConvertData, *, now: datetime) -> Record:
    """Turn a lead into a person; it keeps its id and so its meetings, pins and refusals.

    Raises `crm.verbs.NotAllowed` and `crm.verbs.Invalid`.
    """
    done = verbs.convert(user, lead, data, now=now)
    linking.relink(done.changed, now=now)
    return done.record
