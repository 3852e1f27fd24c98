"""Records and what hangs on them.

The four kinds share one table: linking, search, notes, lists and paging are then one piece of code.
`kinds.py` says which columns belong to which kind.
"""

from __future__ import annotations

from django.db import models

from tandem.database.keys import new_id
from tandem.team.models import User


class Kind(models.TextChoices):
    LEAD = "lead", "Lead"
    PERSON = "person", "Person"
    COMPANY = "company", "Company"
    OPPORTUNITY = "opportunity", "Opportunity"


class Pipeline(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("pipeline", "position")

    def __str__(self) -> str:
        return self.name


class OpportunityStatus(models.TextChoices):
    OPEN = "open", "Open"
    WON = "won", "Won"
    LOST = "lost", "Lost"
    ABANDONED = "abandoned", "Abandoned"


class Record(models.Model):
    """A lead, person, company or opportunity.

    `sort_name` is the casefolded name that lists order by. `last_meeting_at` and `next_meeting_at`
    are kept by `meetings.linking`, and count no private meeting, for every colleague sees them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=300)
    sort_name = models.CharField(max_length=300, db_index=False, default="")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="records")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    last_meeting_at = models.DateTimeField(null=True, blank=True)
    next_meeting_at = models.DateTimeField(null=True, blank=True)

    # people and leads
    job_title = models.CharField(max_length=200, blank=True, default="")
    # person: where they work; opportunity: whose it is
    company = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    # lead: the company's name as typed, until it is converted
    company_name = models.CharField(max_length=300, blank=True, default="")
    # companies
    email_domain = models.CharField(max_length=253, blank=True, default="")
    website = models.CharField(max_length=300, blank=True, default="")
    # opportunities
    primary_contact = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="contact_of"
    )
    stage = models.ForeignKey(Stage, null=True, blank=True, on_delete=models.SET_NULL)
    status = models.CharField(max_length=12, choices=OpportunityStatus.choices, blank=True, default="")
    value_cents = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    close_date = models.DateField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["kind", "sort_name", "id"], name="record_by_name"),
            models.Index(fields=["kind", "last_meeting_at", "id"], name="record_by_last"),
            models.Index(fields=["kind", "next_meeting_at", "id"], name="record_by_next"),
            models.Index(fields=["next_meeting_at"], name="record_next_due"),
            models.Index(fields=["kind", "created_at", "id"], name="record_by_created"),
            models.Index(fields=["kind", "owner", "sort_name", "id"], name="record_by_owner"),
            models.Index(fields=["company", "kind", "sort_name", "id"], name="record_by_company"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        parts = self.name.split()
        return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper() if parts else "?"


class SearchWord(models.Model):
    """A folded word of a record's name, title, company or domain: search finds it by how it begins.

    Kept by `search_words.py`. `kind` repeats the record's, so that a list's search is one index range.
    """

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="search_words")
    kind = models.CharField(max_length=12)
    word = models.CharField(max_length=60)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["record", "word"], name="search_word_once"),)
        indexes = (models.Index(fields=["kind", "word", "record"], name="search_word_by_word"),)

    def __str__(self) -> str:
        return self.word


class EmailCategory(models.TextChoices):
    WORK = "work", "Work"
    PERSONAL = "personal", "Home"
    OTHER = "other", "Other"


class Identity(models.Model):
    """An address by which meetings find a record: the whole of linking is a join on this table.

    A row without `via` is the record's own address. A row with `via` is derived: a company is found
    through its people, an opportunity through its primary contact. `identities.py` keeps those rows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="identities")
    via = models.ForeignKey(Record, null=True, blank=True, on_delete=models.CASCADE, related_name="lent_identities")
    address = models.CharField(max_length=254)
    typed = models.CharField(max_length=254, blank=True, default="")
    category = models.CharField(max_length=10, choices=EmailCategory.choices, default=EmailCategory.WORK)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["record", "address"], condition=models.Q(via=None), name="own_identity_once"
            ),
            models.UniqueConstraint(fields=["record", "address", "via"], name="lent_identity_once"),
        )
        indexes = (models.Index(fields=["address"], name="identity_by_address"),)

    def __str__(self) -> str:
        return self.address


class Phone(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(max_length=50)
    category = models.CharField(max_length=10, choices=EmailCategory.choices, default=EmailCategory.WORK)
    position = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.number


class Tag(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["record", "name"], name="tag_once"),)
        indexes = (models.Index(fields=["name"], name="tag_by_name"),)

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.text[:60]
