"""Loads the sample, in three steps that can each be done again after an interruption.

1. users and customers: one transaction, so they are there wholly or not at all
2. calendars at what stands behind it: fixed names, so that a second time leaves the same
3. accounts connected as the connect page does it, where the sample comes with some: known ones are taken up again

A file says that all three are done; the next start then touches nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from sandbox import customers, team
from sandbox.behind import Behind, Login
from tandem.calendaring.provider import Credentials
from tandem.crm import verbs
from tandem.crm.models import EmailCategory, Kind, Note, Pipeline, Record, Stage
from tandem.crm.verbs import RecordData
from tandem.mailboxes.models import Sender
from tandem.meetings import records
from tandem.sync import accounts
from tandem.team.models import Company, User


class NotASample(Exception):
    """The database belongs to somebody: the sample is not mixed into it."""


def load(behind: Behind, done: Path, *, now: datetime) -> None:
    """Load what is missing of the sample; `done` is the file that says that nothing is.

    Raises `NotASample` for a database with users of its own, `UploadFailed`, `ProviderError`.
    """
    company = Company.current()
    if not company.is_sample and User.objects.exists():
        raise NotASample
    if company.is_sample and done.exists():
        return
    if not company.is_sample:
        load_crm(now)
    behind.fill(now.astimezone(ZoneInfo(team.TIME_ZONE)).date())
    for login in behind.logins:
        connect(login, now)
    done.write_text(f"{now.astimezone(UTC).isoformat()}\n")


def connect(login: Login, now: datetime) -> None:
    """Connect a teammate's account; all its calendars are read, and the first one takes new meetings."""
    mate = login.mate
    account = accounts.connect(
        User.objects.get(email=mate.email),
        Credentials(login.url, mate.login, login.password),
        addresses=(mate.email,),
        invitations_by=Sender.TANDEM,
        now=now,
    )
    ids = dict(account.calendars.values_list("name", "id"))
    accounts.choose_calendars(account, read=ids.values(), target=ids[mate.calendars[0][1]], now=now)


@transaction.atomic
def load_crm(now: datetime) -> None:
    """The company, its users, and everything in the CRM."""
    company = Company.current()
    company.name, company.time_zone, company.is_sample = team.COMPANY, team.TIME_ZONE, True
    company.save(update_fields=["name", "time_zone", "is_sample"])
    users = {mate.login: _user(mate) for mate in team.TEAM}
    companies = {row.name: _company(users[row.owner], row, now) for row in customers.COMPANIES}
    people = {row.name: _person(users[row.owner], row, companies, now) for row in customers.PEOPLE}
    for lead in customers.LEADS:
        _lead(users[lead.owner], lead, now)
    stages = _stages()
    for opportunity in customers.OPPORTUNITIES:
        _opportunity(users[opportunity.owner], opportunity, companies, people, stages, now)


def _user(mate: team.Teammate) -> User:
    """Without a password: the links that ./start prints sign the sample's users in."""
    return User.objects.create_user(mate.email, mate.name, None, role=mate.role, hue=mate.hue, time_zone=team.TIME_ZONE)


def _stages() -> list[Stage]:
    """The pipeline's stages in order: the one that Tandem comes with is taken over, not doubled."""
    pipeline = Pipeline.objects.order_by("position", "id").first() or Pipeline.objects.create(name="Sales")
    stored = list(pipeline.stages.order_by("position"))
    for position, name in enumerate(customers.STAGES):
        if position < len(stored):
            stored[position].name = name
            stored[position].save(update_fields=["name"])
        else:
            stored.append(Stage.objects.create(pipeline=pipeline, name=name, position=position))
    return stored


def _save(user: User, kind: Kind, data: RecordData, now: datetime) -> Record:
    return records.save(user, None, kind, data, now=now)


def _company(user: User, row: customers.SampleCompany, now: datetime) -> UUID:
    data = RecordData(
        name=row.name,
        owner_id=user.id,
        email_domain=row.domain,
        website=row.website,
        phones=((row.phone, EmailCategory.WORK),),
        tags=row.tags,
    )
    return _save(user, Kind.COMPANY, data, now).id


def _person(user: User, row: customers.SamplePerson, companies: dict[str, UUID], now: datetime) -> UUID:
    categories = (EmailCategory.WORK, EmailCategory.PERSONAL)
    data = RecordData(
        name=row.name,
        owner_id=user.id,
        job_title=row.job_title,
        company_id=companies.get(row.company),
        emails=tuple(zip(row.emails, categories, strict=False)),
        phones=((row.phone, EmailCategory.WORK),),
        tags=row.tags,
    )
    record = _save(user, Kind.PERSON, data, now)
    for number, text in enumerate(row.notes):
        note = verbs.add_note(user, record, text, now=now)
        # written over the last weeks, not all at this minute
        Note.objects.filter(id=note.id).update(created_at=now - timedelta(days=9 * number + 5, hours=number + 2))
    return record.id


def _lead(user: User, row: customers.SampleLead, now: datetime) -> None:
    data = RecordData(
        name=row.name,
        owner_id=user.id,
        job_title=row.job_title,
        company_name=row.company,
        emails=((row.email, EmailCategory.WORK),),
        tags=row.tags,
    )
    _save(user, Kind.LEAD, data, now)


def _opportunity(
    user: User,
    row: customers.SampleOpportunity,
    companies: dict[str, UUID],
    people: dict[str, UUID],
    stages: list[Stage],
    now: datetime,
) -> None:
    data = RecordData(
        name=row.name,
        owner_id=user.id,
        company_id=companies[row.company],
        primary_contact_id=people[row.contact],
        stage_id=stages[row.stage].id,
        status=row.status,
        value_cents=row.value * 100,
        currency="EUR",
        close_date=(now + timedelta(days=row.closes)).date(),
    )
    _save(user, Kind.OPPORTUNITY, data, now)
