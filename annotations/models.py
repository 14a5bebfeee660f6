"""Reads, queues and what readers said."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q

from common.append_only import AppendOnly, AppendOnlyQuerySet
from inference.models import Score
from studies.models import Study, StudyRevision


class Context(models.TextChoices):
    TRIAGE = "triage", "Reading room"
    QUEUE = "queue", "Label queue"
    ADJUDICATION = "adjudication", "Adjudication"
    IMPORT = "import", "Imported"


class Blinding(models.TextChoices):
    """How long what others and the AI said stays hidden from somebody who labels."""

    COMMIT = "commit", "Until one's own commit"
    CLOSED = "closed", "Until the queue is closed"


class Rule(models.TextChoices):
    """When the readers of an item agree, so that nobody adjudicates. ``annotations.consensus.rules`` applies them."""

    IDENTICAL = "identical", "Every finding is the same"
    CLINICAL = "clinical", "Same verdict, and no difference of middle or high weight"
    VERDICT = "verdict", "Same verdict: positive or not"
    MAJORITY = "majority", "More than half say the same verdict"


class Source(models.TextChoices):
    FILTER = "filter", "A filter"
    LIST = "list", "A list"
    STRATEGY = "strategy", "A strategy"


class LabelQueue(models.Model):
    """A list of studies that annotators label blinded, each study by several readers.

    ``readers`` are the people who label it; where it names none, all annotators and adjudicators do. A repeat is
    offered once its reader has committed ``repeat_gap`` other items of the queue. ``made_from`` is what was asked for.
    ``identified``: readers without the list see who the infant is; ``whole_pictures``: also pictures that name no
    ultrasound region, and so whatever is written on them.
    """

    name = models.CharField(max_length=100)
    readers_per_study = models.PositiveSmallIntegerField(default=2)
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="label_queues")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.FILTER)
    made_from = models.JSONField(default=dict)
    blinding = models.CharField(max_length=6, choices=Blinding.choices, default=Blinding.COMMIT)
    rule = models.CharField(max_length=9, choices=Rule.choices, default=Rule.CLINICAL)
    shuffled = models.BooleanField(default=False)
    seed = models.PositiveIntegerField(default=0)
    trainee = models.BooleanField(default=False)
    repeat_gap = models.PositiveSmallIntegerField(default=20)
    deadline = models.DateTimeField(null=True, blank=True)
    identified = models.BooleanField(default=False, db_default=False)
    whole_pictures = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return self.name


class QueueItem(models.Model):
    """A study in a queue.

    ``why`` is shown before the commit and says nothing of AI or readers; ``reason`` is the whole one, shown after it.
    ``strategy``: what chose it, ``random`` for the share that was drawn; empty where a person chose.
    ``gold`` is the answer that is known (``positive``, ``findings`` or null, the ``reads`` that made it); everybody
    answers such an item and it makes no label. ``repeat_of``: the same study a second time, for the same readers.
    ``extra_readers``: asked for because somebody was uncertain. ``shuffle_key`` is random by the queue's seed.
    """

    queue = models.ForeignKey(LabelQueue, on_delete=models.PROTECT, related_name="items")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="queue_items")
    position = models.PositiveIntegerField()
    why = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    strategy = models.CharField(max_length=20, blank=True, default="", db_default="")
    gold = models.JSONField(null=True, blank=True)
    repeat_of = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="repeat")
    extra_readers = models.PositiveSmallIntegerField(default=0)
    shuffle_key = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "study"], condition=Q(repeat_of__isnull=True), name="once_per_queue"
            )
        ]
        indexes = [models.Index(fields=["queue", "position"], name="queue_in_order")]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.queue} {self.position}"

    @property
    def needed(self) -> int:
        """How many readers it takes."""
        return self.queue.readers_per_study + self.extra_readers


def makes_labels(to: str = "item__") -> Q:
    """Items whose reads count, by the path ``to`` them: no repeat, no known answer, no trainee."""
    return Q(**{f"{to}repeat_of__isnull": True, f"{to}gold__isnull": True, f"{to}queue__trainee": False})


class Skip(models.Model):
    """A reader passed an item over, and said why."""

    item = models.ForeignKey(QueueItem, on_delete=models.PROTECT, related_name="skips")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.reader} skipped {self.item}"


class ReadStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    COMMITTED = "committed", "Committed"


class ReadQuerySet(models.QuerySet["Read"]):
    def with_last_revision(self) -> ReadQuerySet:
        """``last_revision`` of every read in one more query."""
        return self.prefetch_related(Prefetch("revisions", ReadRevision.objects.last_of_each(), to_attr="loaded_last"))


class Read(models.Model):
    """One reader's answer for one study. The draft changes; what was committed stays, revision by revision."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reads")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reads")
    context = models.CharField(max_length=12, choices=Context.choices)
    item = models.ForeignKey(QueueItem, null=True, on_delete=models.PROTECT, related_name="reads")
    status = models.CharField(max_length=9, choices=ReadStatus.choices, default=ReadStatus.DRAFT)
    draft = models.JSONField(default=dict)
    draft_version = models.PositiveIntegerField(default=0)
    draft_saved_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()

    objects = ReadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "reader", "context"], condition=Q(item__isnull=True), name="one_read_each"
            ),
            models.UniqueConstraint(
                fields=["item", "reader"], condition=Q(item__isnull=False), name="one_read_each_item"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} on {self.study} ({self.context})"

    @property
    def last_revision(self) -> ReadRevision | None:
        """What was committed last, though it may be reopened since. A query, unless the reads came
        ``with_last_revision``."""
        if hasattr(self, "loaded_last"):
            return next(iter(self.loaded_last), None)
        return self.revisions.last()


class LabelSchema(AppendOnly):
    """A version of the label schema: a JSON Schema of the findings. Reads refer to it by name."""

    name = models.CharField(max_length=32, unique=True)
    document = models.JSONField()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name


class PositiveDefinition(AppendOnly):
    """A version of what "positive" means."""

    name = models.CharField(max_length=32, unique=True)
    rule = models.JSONField()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name


class SchemaInForce(AppendOnly):
    """Which versions new reads are made with, since when. The latest counts."""

    schema = models.ForeignKey(LabelSchema, on_delete=models.PROTECT, related_name="+")
    definition = models.ForeignKey(PositiveDefinition, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "schemas in force"

    def __str__(self) -> str:
        return f"{self.schema}, {self.definition}"


class SetAside(AppendOnly):
    """A version of an answer that did not go on: the draft that lost a conflict, or one of an older schema."""

    read = models.ForeignKey("annotations.Read", on_delete=models.PROTECT, related_name="set_aside")
    answer = models.JSONField()
    why = models.CharField(max_length=16)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "answers set aside"

    def __str__(self) -> str:
        return f"{self.read}: {self.why}"


BLIND = Q(flag_seen="", attention_seen=False)
"""Read revisions whose reader knew nothing of the AI's answer."""


class ReadRevisionQuerySet(AppendOnlyQuerySet["ReadRevision"]):
    def last_of_each(self) -> ReadRevisionQuerySet:
        """Of each read what was committed last."""
        later = ReadRevision.objects.filter(read=OuterRef("read"), number__gt=OuterRef("number"))
        return self.filter(~Exists(later))

    def not_blind(self) -> ReadRevisionQuerySet:
        """Answers of readers who had been shown what the AI said."""
        return self.exclude(BLIND)

    def counting(self) -> ReadRevisionQuerySet:
        """What counts now: the last revision of each read that is committed and not reopened."""
        return self.last_of_each().filter(read__status=ReadStatus.COMMITTED)


class ReadRevision(AppendOnly):
    """What a reader committed. Only ever added.

    ``flag_seen`` is the AI's flag that the reader knew, ``ai_shown`` all that they had been shown of it before
    (``annotations.reads.exposures.AiShown``); null in revisions that are older than that record.
    """

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    study_revision = models.ForeignKey(StudyRevision, null=True, on_delete=models.PROTECT, related_name="+")
    schema = models.CharField(max_length=32)
    findings = models.JSONField()
    comment = models.TextField(blank=True)
    positive = models.BooleanField(null=True)
    definition = models.CharField(max_length=32)
    flag_seen = models.CharField(max_length=13, blank=True)
    attention_seen = models.BooleanField(default=False)
    ai_shown = models.JSONField(null=True)
    coverage = models.JSONField(default=list)
    duration_ms = models.PositiveIntegerField(default=0)
    device = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=64)
    committed_at = models.DateTimeField()

    objects = ReadRevisionQuerySet.as_manager()  # type: ignore[misc]  # AppendOnly has a class variable of that name

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["read", "number"], name="one_revision_number_per_read"),
            models.UniqueConstraint(fields=["read", "idempotency_key"], name="a_commit_counts_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="revisions_count_from_one"),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.read} revision {self.number}"

    @property
    def is_blind(self) -> bool:
        return not self.flag_seen and not self.attention_seen


class Where(models.TextChoices):
    """Where somebody was shown what the AI said."""

    LIST = "list", "The worklist"
    SCORE = "score", "The study's score, attention and heat maps"
    DISCUSSION = "discussion", "A discussion, unblinded on record"
    HISTORY = "history", "The history of the labels"
    EXPORT = "export", "An export with identifiers"
    REPORT = "report", "A report"


class Exposure(AppendOnly):
    """A reader was shown a score, the first time and where. Attention that is shown later is a row of its own."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="exposures")
    score = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="+")
    flag = models.CharField(max_length=13)
    attention = models.BooleanField(default=False)
    where = models.CharField(max_length=10, choices=Where.choices)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "score", "attention"], name="shown_once_to_each_reader")
        ]

    def __str__(self) -> str:
        return f"{self.reader} was shown {self.score} ({self.where})"


class Agreement(models.Model):
    """A reader's one-key verdict on the flag, after the commit."""

    revision = models.OneToOneField(ReadRevision, on_delete=models.PROTECT, related_name="agreement")
    agree = models.BooleanField()
    flag = models.CharField(max_length=13)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.revision}: {'agree' if self.agree else 'disagree'}"


class Remark(models.Model):
    """What somebody said about an item in its discussion. Only ever added."""

    item = models.ForeignKey(QueueItem, on_delete=models.PROTECT, related_name="remarks")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.author} on {self.item}"


class Unblinding(models.Model):
    """An adjudicator asked to see the AI's answer and who the readers are before deciding, and said why."""

    item = models.ForeignKey(QueueItem, on_delete=models.PROTECT, related_name="unblindings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="unblinded_once")]

    def __str__(self) -> str:
        return f"{self.user} unblinded {self.item}"
