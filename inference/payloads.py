"""What the API says of scores and of models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from inference.models import Flag, ModelState

Probability = Annotated[float | None, "calibrated, 0 to 1; null where there is no answer, and where a site hides it"]


class AiState(TypedDict):
    """Whether studies are being scored."""

    state: Literal["ok", "down"]
    message: Annotated[str, "why it is down and what that means, for a person; empty while it is up"]


class ScoringModel(TypedDict):
    """The model behind an answer."""

    id: int
    name: str
    version: str
    demo_warning: Annotated[str | None, "what must be said beside this answer, where the model knows phantoms only"]


class AchievedSensitivity(TypedDict):
    """What an operating point measured on scores out of fold."""

    sensitivity: Annotated[float, "0 to 1"]
    interval: Annotated[list[float], "95 % interval of the sensitivity: low, high"]
    specificity: Annotated[float, "0 to 1"]
    n_positive: Annotated[int, "positive studies that it was measured on"]


class AppliedOperatingPoint(TypedDict):
    """The named rule that made the flag from the probability."""

    name: str
    threshold: Annotated[float, "suspected at or above this probability"]
    promise: Annotated[str, "what it was chosen for, in a sentence"]
    achieved: AchievedSensitivity
    rule: Annotated[str, "how the threshold was found"]


class FrameAttention(TypedDict):
    """How much one selected frame counted."""

    sop_uid: Annotated[str, "SOPInstanceUID of the clip"]
    frame: Annotated[int, "counted from 1"]
    weight: Annotated[float, "share of the study's attention; those of all selected frames sum to 1"]


class FrameHeatMap(TypedDict):
    """Where in one frame the score came from."""

    sop_uid: Annotated[str, "SOPInstanceUID of the clip"]
    frame: Annotated[int, "counted from 1"]
    square: Annotated[list[int], "x, y and side, in pixels, of the part of the frame that the network saw"]
    heat: Annotated[list[list[float]], "rows over that square, 0 to 1 on one scale for the study"]


class HeatMaps(TypedDict):
    """Maps of the frames with the most attention."""

    method: str
    frames: list[FrameHeatMap]


class EarlierScore(TypedDict):
    """One answer that a study had."""

    revision: int
    model: str | None
    flag: Flag
    flag_reason: str
    probability: float | None
    scored_at: datetime


class StudyScore(TypedDict):
    """What the model says of a study now. Without an answer, everything but state and reason is null."""

    state: Literal["scored", "pending", "not_analysed"]
    flag: Flag | None
    flag_reason: Annotated[str, "why there is no answer, or why one to an earlier revision stays"]
    probability: Probability
    revision: Annotated[int | None, "the revision of the study that was scored"]
    newer_revision_pending: Annotated[bool | None, "whether a further answer is on its way"]
    model: ScoringModel | None
    operating_point: AppliedOperatingPoint | None
    scored_at: datetime | None
    seconds: Annotated[float | None, "that the scoring took"]
    last_image_to_flag_seconds: float | None
    attention: Annotated[list[FrameAttention] | None, "null for whoever may not see it yet"]
    heat_maps: Annotated[HeatMaps | None, "null until they are computed, and for whoever may not see them yet"]
    history: Annotated[list[EarlierScore] | None, "every answer the study had, newest first; null unless shown"]


class ModelPayload(TypedDict):
    """A model version with what its manifest says and what was measured; curves are with the run and the metrics."""

    id: int
    name: str
    digest: Annotated[str, "SHA-256 of the manifest, which names the digests of the weights"]
    state: ModelState
    trained_on_phantoms: bool
    manifest: Annotated[dict[str, Any], "manifest.json as it was installed"]
    report: Annotated[dict[str, Any], "what its training measured, without curves"]
    run: Annotated[int | None, "the training run that made it"]
    created_at: datetime
    created_by: str | None
    promoted_at: datetime | None
    promoted_by: str | None
    promotion_reason: str
