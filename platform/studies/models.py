"""Patients, studies, clips and the revisions of a study."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from studies import decoding
from studies.dicom.birth_dates import birth_doubt
from studies.dicom.facts import AsSent
from studies.dicom.kinds import Kind, kind_of

DAYS_AT_TERM_AND_BEYOND = 45 * 7


class Sex(models.TextChoices):
    FEMALE = "F", "Female"
    MALE = "M", "Male"
    OTHER = "O", "Other"
    UNKNOWN = "", "Unknown"


class Patient(models.Model):
    """An infant. What DICOM lacks comes by form or CSV; what nobody knows stays null and is shown as unknown.

    ``ordinal`` tells infants apart that came under one number: hospitals give the same numbers.
    ``birth_date_from_age``: the date is counted back from an age, and gives way to one that is stated.
    """

    patient_id = models.CharField(max_length=64)
    issuer = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=324, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=1, choices=Sex.choices, blank=True, default=Sex.UNKNOWN)
    gestational_age_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(20 * 7), MaxValueValidator(DAYS_AT_TERM_AND_BEYOND)]
    )
    birth_weight_g = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(200), MaxValueValidator(7000)]
    )
    twin_group = models.CharField(max_length=64, blank=True)
    institution = models.CharField(max_length=64, blank=True, default="", db_default="")
    birth_date_from_age = models.BooleanField(default=False, db_default=False)
    ordinal = models.PositiveSmallIntegerField(default=1, db_default=1)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient_id", "issuer", "ordinal"], name="one_patient_per_ordinal")
        ]

    def __str__(self) -> str:
        return self.patient_id

    @property
    def group(self) -> str:
        """What never crosses training folds: the infant, or the twins together."""
        return f"twins:{self.twin_group}" if self.twin_group else f"patient:{self.pk}"

    def final(self) -> Patient:
        """The patient that this one was merged into, however often; itself where it was not."""
        patient = self
        while patient.merged_into is not None:
            patient = patient.merged_into
        return patient

    def day_of_life(self, on: datetime | None) -> int | None:
        """Whole days since birth, None where either date is unknown or the two cannot both be true."""
        if on is None or self.birth_date is None or birth_doubt(self.birth_date, on.date()):
            return None
        return (on.date() - self.birth_date).days

    def postmenstrual_age_days(self, on: datetime | None) -> int | None:
        """Gestational age at birth plus day of life."""
        days = self.day_of_life(on)
        if days is None or self.gestational_age_days is None:
            return None
        return self.gestational_age_days + days


class DoubtKind(models.TextChoices):
    CLASH = "clash", "Two infants under one number"
    PERHAPS_ONE = "perhaps_one", "Perhaps one infant"
    CHANGED = "changed", "Headers disagree"


class IdentityDoubt(models.Model):
    """A question about who an infant is, for an admin. ``other`` is null where only a header says otherwise: ``said``.

    An answered one stays, so that it is not asked again.
    """

    kind = models.CharField(max_length=12, choices=DoubtKind.choices)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="doubts")
    other = models.ForeignKey(Patient, null=True, on_delete=models.CASCADE, related_name="+")
    said = models.JSONField(default=dict)
    differs = models.JSONField(default=list)
    study_uid = models.CharField(max_length=64, blank=True)
    found_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.patient}: {self.kind}"


class Priority(models.TextChoices):
    STAT = "stat", "STAT"
    URGENT = "urgent", "Urgent"
    ROUTINE = "routine", "Routine"


class StudyStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READING = "reading", "Being read"
    READ = "read", "Read"


class Study(models.Model):
    """One DICOM study: one examination.

    ``as_sent``: what its files call infant and study (dicom.facts.AsSent), null where they were read before this was
    kept; ``reread`` fills it in.
    """

    uid = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    original_patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    accession = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=128, blank=True)
    acquired_at = models.DateTimeField(null=True)
    as_sent: models.JSONField[AsSent | None, AsSent | None] = models.JSONField(null=True)
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.ROUTINE)
    status = models.CharField(max_length=8, choices=StudyStatus.choices, default=StudyStatus.WAITING)
    read_at = models.DateTimeField(null=True)
    is_phantom = models.BooleanField(default=False)
    first_image_at = models.DateTimeField()
    last_image_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["closes_at"], condition=Q(closes_at__isnull=False), name="study_open_revision"),
            models.Index(fields=["last_image_at", "id"], condition=~Q(status="read"), name="study_unread"),
        ]

    def __str__(self) -> str:
        return self.uid

    @property
    def birth_date(self) -> date | None:
        return self.patient.birth_date


class View(models.TextChoices):
    CORONAL = "coronal", "Coronal"
    SAGITTAL = "sagittal", "Sagittal"
    MASTOID = "mastoid", "Mastoid"
    OTHER = "other", "Other"


class ViewSource(models.TextChoices):
    TAGS = "tags", "Suggested from the file"
    PERSON = "person", "Set by a person"


class ClipQuerySet(models.QuerySet["Clip"]):
    def with_frames(self) -> ClipQuerySet:
        """Those with a picture to show."""
        return self.filter(frames__gt=0)

    def scorable(self) -> ClipQuerySet:
        """Those with a picture that a model may see."""
        return self.with_frames().filter(scorable=True)


ClipManager = models.Manager.from_queryset(ClipQuerySet)


class PresentClips(ClipManager["Clip"]):
    """Without those that an admin deleted: whoever lists the clips of a study or a revision lists these."""

    def get_queryset(self) -> ClipQuerySet:
        return ClipQuerySet(self.model, using=self._db).filter(deleted_at__isnull=True)


class Clip(models.Model):
    """One SOP instance; a still is a clip of one frame. ``frames`` 0: it holds no image.

    ``pixel_notes`` are those of ``warnings`` that tell what was decided about pixels; null: from before it was kept.
    ``decoding``: the way of decoding by which all this was written down.
    ``flow``: the frames, from 1, in which somebody has looked for colour Doppler, and those of them that show it.

    A deleted one stays with its bytes, for the audit and for an admin alone: ``Clip.every`` has them, too.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="clips")
    sop_uid = models.CharField(max_length=64, unique=True)
    sop_class = models.CharField(max_length=64)
    series_uid = models.CharField(max_length=64)
    series_number = models.IntegerField(null=True)
    instance_number = models.IntegerField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    manufacturer = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=64, blank=True)
    view = models.CharField(max_length=8, choices=View.choices, default=View.OTHER)
    plane = models.CharField(max_length=16, blank=True)
    view_source = models.CharField(max_length=6, choices=ViewSource.choices, default=ViewSource.TAGS)
    label = models.CharField(max_length=64, blank=True)
    acquired_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    transfer_syntax = models.CharField(max_length=64)
    photometric = models.CharField(max_length=16, blank=True)
    rows = models.PositiveIntegerField(default=0)
    columns = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    samples = models.PositiveSmallIntegerField(default=1)
    bits_stored = models.PositiveSmallIntegerField(default=8)
    frame_time_ms = models.FloatField(null=True)
    frame_times_ms = models.JSONField(null=True)
    frame_time_flaw = models.CharField(max_length=128, blank=True)
    display_rate = models.FloatField(null=True)
    regions = models.JSONField(default=list)
    flow = models.JSONField(null=True)
    digest = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()
    scorable = models.BooleanField(default=False)
    parked_reason = models.TextField(blank=True)
    decode_error = models.TextField(blank=True)
    warnings = models.JSONField(default=list)
    pixel_notes = models.JSONField(null=True)
    decoding = models.PositiveSmallIntegerField(default=decoding.current, db_default=1)
    replaced_at = models.DateTimeField(null=True)
    """When another picture took this one's place last: an admin accepted it from the quarantine."""
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = PresentClips()
    every = ClipManager()

    class Meta:
        ordering: ClassVar[list[str]] = ["acquired_at", "series_number", "instance_number", "id"]

    def __str__(self) -> str:
        return self.sop_uid

    @property
    def kind(self) -> Kind:
        return kind_of(self.sop_class, self.transfer_syntax, self.frames)

    @property
    def may_show_flow(self) -> bool:
        """Its pixels have colours."""
        return self.has_frames and (self.samples > 1 or self.photometric == "PALETTE COLOR")

    @property
    def looked_frames(self) -> list[int]:
        """The frames in which colour Doppler was looked for."""
        return self.flow["looked"] if self.flow else []

    @property
    def flow_frames(self) -> list[int]:
        """The frames that are known to show colour Doppler."""
        return self.flow["shown"] if self.flow else []

    @property
    def has_frames(self) -> bool:
        """ClipQuerySet.with_frames for a clip in memory."""
        return self.frames > 0

    @property
    def can_be_scored(self) -> bool:
        """ClipQuerySet.scorable for a clip in memory."""
        return self.scorable and self.has_frames


class StudyRevision(models.Model):
    """The set of instances that a study had when its quiet period ended. Never changed afterwards."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    clips = models.ManyToManyField(Clip, related_name="revisions")
    digest = models.CharField(max_length=64)
    last_image_at = models.DateTimeField()
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_revision_per_number")]
        ordering: ClassVar[list[str]] = ["number"]

    def __str__(self) -> str:
        return f"{self.study} revision {self.number}"


class StudyHeader(models.Model):
    """What the first instance of a study says of it and of its patient, as queries ask for it.

    ``elements`` is DICOM JSON. Dates are YYYYMMDD, times HHMMSS.FFFFFF; names are folded, a column for each group, and
    ``name_words`` has every word of all of them behind a space.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, primary_key=True, related_name="header")
    date = models.CharField(max_length=8, blank=True, db_index=True)
    time = models.CharField(max_length=16, blank=True)
    accession = models.CharField(max_length=64, blank=True, db_index=True)
    number = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=128, blank=True)
    patient_id = models.CharField(max_length=64, blank=True, db_index=True)
    issuer = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=324, blank=True, db_index=True)
    name_ideographic = models.CharField(max_length=324, blank=True)
    name_phonetic = models.CharField(max_length=324, blank=True)
    name_words = models.TextField(blank=True)
    birth_date = models.CharField(max_length=8, blank=True)
    sex = models.CharField(max_length=16, blank=True)
    elements = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["-date", "-time", "-study"], name="study_header_latest")]

    def __str__(self) -> str:
        return f"header of study {self.pk}"


class Series(models.Model):
    """What the first instance of a DICOM series says of it; columns as in StudyHeader."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    uid = models.CharField(max_length=64, db_index=True)
    number = models.IntegerField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    description = models.CharField(max_length=128, blank=True)
    body_part = models.CharField(max_length=64, blank=True)
    started_on = models.CharField(max_length=8, blank=True)
    started_at = models.CharField(max_length=16, blank=True)
    elements = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["study", "uid"], name="one_series_per_study_and_uid")]

    def __str__(self) -> str:
        return self.uid


class InstanceHeader(models.Model):
    """The whole header of a file, read once: ``elements`` is DICOM JSON, deflated; empty where it could not be read.

    ``content`` and ``places`` as in studies.dicom.facts: digests of what the file says, and where its frames lie.
    """

    clip = models.OneToOneField(Clip, on_delete=models.CASCADE, primary_key=True, related_name="header")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="instances")
    elements = models.BinaryField()
    content = models.JSONField(null=True)
    places = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"header of clip {self.pk}"


class Outcome(models.TextChoices):
    STORED = "stored", "Stored"
    DUPLICATE = "duplicate", "Already here"
    PARKED = "parked", "Stored, not scorable"
    REFUSED = "refused", "Refused"


class QuarantineState(models.TextChoices):
    """``REPLACED`` holds the picture that a clip had before another was accepted in its place, ``DELETED`` one that an
    admin took away by DICOMweb. The bytes of both are those of patients."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    DISCARDED = "discarded", "Discarded"
    REPLACED = "replaced", "Earlier picture"
    DELETED = "deleted", "Deleted picture"


class Holding(models.TextChoices):
    """Where the bytes of a quarantined file are."""

    KEPT = "kept", "Its bytes are kept."
    NEVER_WHOLE = "never_whole", "No bytes: it was too large, or never came as a whole file."
    NO_ROOM = "no_room", "No bytes: the quarantine was full when it came."
    EXPIRED = "expired", "No bytes: they were kept as long as the site keeps refused files."
    REMOVED = "removed", "Its bytes are not in the quarantine any more: it is settled."


class QuarantinedFile(models.Model):
    """A file that was not taken in, for an admin to accept or discard. The row stays when the bytes go.

    Bytes lie in the quarantine's own store (studies.quarantine.shelf); those of a ``REPLACED`` one, which were a
    clip's, stay where they are. ``code`` and ``reason`` say why it was not taken, ``outcome`` what accepting it gave.
    """

    state = models.CharField(max_length=10, choices=QuarantineState.choices, default=QuarantineState.OPEN)
    code = models.CharField(max_length=32)
    reason = models.TextField()
    source = models.CharField(max_length=16)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    address = models.GenericIPAddressField(null=True)
    path = models.CharField(max_length=512, blank=True)
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    sop_uid = models.CharField(max_length=64, blank=True)
    study_uid = models.CharField(max_length=64, blank=True)
    patient_id = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, blank=True, db_index=True)
    size = models.PositiveBigIntegerField(null=True)
    holding = models.CharField(max_length=12, choices=Holding.choices)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    settled_why = models.TextField(blank=True)
    outcome = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=Q(state="open", holding="kept"), name="one_open_row_per_kept_file"
            )
        ]
        indexes = [models.Index(fields=["state", "-id"], name="quarantine_by_state")]

    def __str__(self) -> str:
        return f"{self.path}: {self.code}"


class Receipt(models.Model):
    """What became of one file that somebody sent."""

    at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=16)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=512, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.TextField(blank=True)
    study_uid = models.CharField(max_length=64, blank=True)
    sop_uid = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    quarantined = models.ForeignKey(QuarantinedFile, null=True, on_delete=models.SET_NULL, related_name="receipts")

    def __str__(self) -> str:
        return f"{self.path}: {self.outcome}"
