"""The share of a site's studies that show a haemorrhage, which probabilities are stated at. No torch.

Labels are often enriched: a queue asks for what the model suspects. Their share of positives says nothing about the
ward's, so that it comes from the setting, or from days on which every study was labelled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, TypedDict

from django.conf import settings
from django.utils import timezone

from annotations.consensus.reference_labels import ReferenceLabel, labels
from studies.models import StudyRevision
from training.core.report_shapes import Interval

LEAST_POSITIVE_INFANTS = 10
"""Fewer make an estimate whose interval spans more than half to twice of it, and nothing is calibrated to that."""


class SitePrevalence(TypedDict):
    """A site's share of studies with haemorrhage, and how it is known."""

    share: Annotated[float, "0 to 1"]
    source: Literal["setting", "reads"]
    interval: Annotated[Interval, "over infants; nulls where the setting says it"]
    studies: Annotated[int, "read studies that it is counted from"]
    infants: Annotated[int, "whom they are of, twins as one"]
    believed: Annotated[bool, "enough infants, or a setting: models are calibrated to it"]


def site_prevalence(*, phantoms_only: bool = False) -> SitePrevalence | None:
    """The setting where there is one, else the estimate from reads, else None."""
    return from_setting() or _from_reads(phantoms_only=phantoms_only)


def from_setting() -> SitePrevalence | None:
    """The setting, None where it is empty."""
    share: float | None = settings.SITE_PREVALENCE
    if share is None:
        return None
    return {
        "share": share,
        "source": "setting",
        "interval": [None, None],
        "studies": 0,
        "infants": 0,
        "believed": True,
    }


def _from_reads(*, phantoms_only: bool) -> SitePrevalence | None:
    import numpy as np

    from training.core.metrics import clustered_interval

    counted = consecutive(labels(), _studies_of_days(phantoms_only=phantoms_only))
    if not counted:
        return None
    positive = np.array([label.positive for label in counted])
    infants = np.array([label.study.patient.group for label in counted], dtype=str)
    with_bleed = len(np.unique(infants[positive]))
    return {
        "share": float(positive.mean()),
        "source": "reads",
        "interval": list(clustered_interval(positive, infants)),
        "studies": len(counted),
        "infants": len(np.unique(infants)),
        "believed": with_bleed >= LEAST_POSITIVE_INFANTS and not positive.all(),
    }


def _studies_of_days(*, phantoms_only: bool) -> dict[date, set[str]]:
    """Study UIDs by the day of the site on which their first image came."""
    days: dict[date, set[str]] = defaultdict(set)
    rows = StudyRevision.objects.filter(study__is_phantom=phantoms_only, clips__frames__gt=0).distinct()
    for uid, at in rows.values_list("study__uid", "study__first_image_at"):
        days[timezone.localtime(at).date()].add(uid)
    return days


def consecutive_uids(known: Iterable[ReferenceLabel], *, phantoms_only: bool) -> set[str]:
    """Studies of days on which none was left without a label."""
    return {label.study.uid for label in consecutive(known, _studies_of_days(phantoms_only=phantoms_only))}


def consecutive(known: Iterable[ReferenceLabel], days: dict[date, set[str]]) -> list[ReferenceLabel]:
    """The labels of days on which no study was left without one: what a list read from the top shows first is mostly
    what the model suspects."""
    by_uid = {label.study.uid: label for label in known}
    whole = [uids for uids in days.values() if uids <= by_uid.keys()]
    return [by_uid[uid] for uid in sorted(uid for uids in whole for uid in uids)]
