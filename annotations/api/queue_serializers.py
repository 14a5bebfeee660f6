"""What an admin asks for when a queue is made, checked: each wrong field has its sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.utils import timezone
from rest_framework import serializers

from accounts.models import User
from annotations.models import Blinding, Rule, Source
from annotations.queues import selection
from annotations.queues.builder import MAX_STUDIES, QueueRequest, QueueSettings
from annotations.queues.selection import Selection, StudyFilter

NOT_READ = "not read yet"
MAX_SEED = 2**31 - 1
# A neutral reason must not tell what the AI or another reader said.
_TELLTALE = ("suspect", "disagree", "split", "uncertain", "positive", "probab", "bleed", "haemorrhage", "hemorrhage")


class FilterFields(serializers.Serializer[Any]):
    acquired_from = serializers.DateField(required=False, allow_null=True, default=None)
    acquired_to = serializers.DateField(required=False, allow_null=True, default=None)
    weeks_from = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=20,
        max_value=45,
        help_text="Gestational age at birth in whole weeks, included.",
    )
    weeks_to = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=20,
        max_value=45,
        help_text="Gestational age at birth in whole weeks, included.",
    )
    device = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=64,
        help_text="Part of the maker's or the scanner's name.",
    )
    words = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    labelled = serializers.ChoiceField(choices=selection.LABELLED, default="nobody")
    mastoid = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whether there is a view through the mastoid fontanelle.",
    )
    queued = serializers.BooleanField(default=False, help_text="Also studies that an active queue holds.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for low, high, what in (("acquired_from", "acquired_to", "dates"), ("weeks_from", "weeks_to", "weeks")):
            if None not in (attrs[low], attrs[high]) and attrs[low] > attrs[high]:
                raise serializers.ValidationError({low: f"The {what} end before they begin."})
        return attrs


class QueueFields(serializers.Serializer[Any]):
    """The body of POST /api/v1/queues/ and of its preview."""

    name = serializers.CharField(max_length=100)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # DRF's own name
    filter = FilterFields(required=False)
    uids = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text="A list of StudyInstanceUIDs, one a line, or a CSV with such a column.",
    )
    leave_out = serializers.BooleanField(default=False, help_text="Make the queue without the lines that are refused.")
    strategy = serializers.CharField(required=False, allow_blank=True, default="", max_length=64)
    count = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=MAX_STUDIES,
        help_text="Studies to draw or to choose.",
    )
    why = serializers.CharField(
        required=False, default=NOT_READ, max_length=200, help_text="Readers see it before they answer."
    )
    readers = serializers.ListField(child=serializers.CharField(max_length=150), default=list, max_length=500)
    readers_per_study = serializers.IntegerField(default=2, min_value=1, max_value=20)
    blinding = serializers.ChoiceField(choices=Blinding.choices, default=Blinding.COMMIT)
    rule = serializers.ChoiceField(choices=Rule.choices, default=Rule.CLINICAL)
    shuffled = serializers.BooleanField(default=True)
    seed = serializers.IntegerField(default=1, min_value=0, max_value=MAX_SEED)
    gold = serializers.FloatField(
        default=0, min_value=0, max_value=0.5, help_text="Known answers to mix in, as a share of the studies."
    )
    repeats = serializers.FloatField(
        default=0, min_value=0, max_value=0.5, help_text="Studies that come a second time, as a share of them."
    )
    repeat_gap = serializers.IntegerField(
        default=20,
        min_value=1,
        max_value=1000,
        help_text="Other items that a reader commits before a repeat is offered.",
    )
    trainee = serializers.BooleanField(default=False)
    identified = serializers.BooleanField(
        default=False, help_text="Readers see the infant's number, name, dates and whole pictures."
    )
    whole_pictures = serializers.BooleanField(
        default=False,
        help_text="Pictures that name no ultrasound region are shown too, with whatever is written on them.",
    )
    deadline = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_why(self, why: str) -> str:
        telltale = next((word for word in _TELLTALE if word in why.lower()), None)
        if telltale:
            raise serializers.ValidationError(
                f"Readers see this before they answer, and {telltale!r} may tell them what to answer. Say it neutrally."
            )
        return why

    def validate_deadline(self, deadline: datetime | None) -> datetime | None:
        if deadline is not None and deadline <= timezone.now():
            raise serializers.ValidationError("The deadline has passed already.")
        return deadline

    def validate_readers(self, usernames: list[str]) -> list[User]:
        return people(usernames)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        readers, needed = attrs["readers"], attrs["readers_per_study"]
        if readers and len(readers) < needed and not attrs["trainee"]:
            raise serializers.ValidationError(
                {"readers": f"{len(readers)} named, but each study needs {needed}. Name more, or ask for fewer."}
            )
        if attrs["rule"] == Rule.MAJORITY and needed < 3:
            raise serializers.ValidationError({"rule": "A majority takes at least three readers per study."})
        if attrs["source"] == Source.STRATEGY and attrs["count"] is None:
            raise serializers.ValidationError({"count": "Say how many studies the strategy is to choose."})
        return attrs


def people(usernames: list[str]) -> list[User]:
    """The active accounts of these names. Raises ValidationError that names the unknown ones."""
    users = list(User.objects.filter(username__in=usernames, is_active=True).order_by("username"))
    unknown = sorted(set(usernames) - {user.username for user in users})
    if unknown:
        raise serializers.ValidationError(f"Nobody active is called {', '.join(unknown)}.")
    return users


def choose(fields: dict[str, Any]) -> Selection:
    """The studies that were asked for. Raises BadSelection."""
    seed, count = fields["seed"], fields["count"]
    if fields["source"] == Source.LIST:
        return selection.by_list(fields["uids"], why=fields["why"])
    if fields["source"] == Source.STRATEGY:
        return selection.by_strategy(fields["strategy"], count=count, seed=seed)
    conditions = StudyFilter(**fields.get("filter", {}))
    return selection.by_filter(conditions, why=fields["why"], count=count, seed=seed)


def settings_of(fields: dict[str, Any]) -> QueueSettings:
    names = (
        "readers_per_study", "readers", "blinding", "rule", "shuffled", "seed", "trainee", "gold", "repeats",
        "repeat_gap", "deadline", "identified", "whole_pictures",
    )  # fmt: skip
    return QueueSettings(**{name: fields[name] for name in names})


def request_of(body: dict[str, Any]) -> QueueRequest:
    """What stays with the queue of the request: what a `QueueRequest` has, so neither the name nor the list of UIDs."""
    return cast(QueueRequest, {name: body[name] for name in QueueRequest.__annotations__ if name in body})
