"""The handler of ``score``: one model's answer to one revision, written exactly once. Only workers import this."""

from __future__ import annotations

from time import perf_counter
from typing import Annotated, TypedDict

from django.conf import settings

from inference import messages
from inference.core.engine import Engine
from inference.core.manifest import BadModel, Manifest
from inference.embedding_cache import EmbeddedStudy, embed_clips
from inference.engine_cache import engine_for
from inference.models import Flag, ModelVersion, Score
from inference.payloads import AppliedOperatingPoint
from inference.registry import refuse
from inference.scheduling import request_score
from inference.score_writer import Answer, write
from jobs.job_context import Cancelled, JobContext
from studies.models import Clip, StudyRevision

MIN_USABLE_FRAMES = 4


def score(context: JobContext) -> None:
    """Score a revision. A model whose files are wrong is refused, and the study asked for again of its successor."""
    began = perf_counter()
    revision = StudyRevision.objects.select_related("study").get(pk=context.payload["revision"])
    model = ModelVersion.objects.get(pk=context.payload["model"])
    if already_answered(revision, model, context.payload["purpose"]):
        return
    try:
        answer = analyse(revision, model, context)
    except BadModel as error:
        successor = refuse(model, str(error))
        context.finish(lambda: _ask_successor(revision, successor, refused=model))
        return
    purpose = context.payload["purpose"]
    context.finish(lambda: write(revision, model, answer, purpose=purpose, seconds=perf_counter() - began))


def already_answered(revision: StudyRevision, model: ModelVersion, purpose: str) -> bool:
    """A study that was not analysed may be tried again by hand; an answer stands."""
    known = Score.objects.filter(revision=revision, model=model, purpose=purpose)
    return known.exclude(flag=Flag.NOT_ANALYSED).exists()


def _ask_successor(revision: StudyRevision, successor: ModelVersion | None, *, refused: ModelVersion) -> None:
    if successor is not None and successor.pk != refused.pk:
        request_score(revision, successor)


def analyse(revision: StudyRevision, model: ModelVersion, context: JobContext) -> Answer:
    """Look at a revision's frames and answer. Raises BadModel, and TryAgain for what may pass."""
    if reason := _why_model_says_nothing(revision, model):
        return Answer(Flag.NOT_ANALYSED, reason)
    if revision.clips.filter(replaced_at__gt=revision.closed_at).exists():
        return Answer(Flag.NOT_ANALYSED, messages.REPLACED)
    usable = list(revision.clips.scorable())
    if not usable:
        return Answer(Flag.NOT_ANALYSED, messages.not_scorable([_why_not(clip) for clip in revision.clips.all()]))
    engine = engine_for(model)
    last = context.job.attempts >= settings.JOB_MAX_ATTEMPTS
    embedded = embed_clips(usable, engine, patient=not last, between=lambda: _raise_if_cancelled(context))
    if reason := why_too_few_frames(embedded):
        return Answer(Flag.NOT_ANALYSED, reason, inputs=_inputs(revision, model, engine, embedded))
    return _answer(revision, model, engine, embedded)


def _raise_if_cancelled(context: JobContext) -> None:
    if context.cancelled():
        raise Cancelled


def _why_model_says_nothing(revision: StudyRevision, model: ModelVersion) -> str:
    """In production a model that knows phantoms only has nothing to say about an infant, unless the site opts in."""
    opted_in = settings.PHANTOM_MODEL_SCORES_PATIENTS
    foreign = model.trained_on_phantoms and not revision.study.is_phantom
    return messages.DEMO_WARNING if foreign and not opted_in else ""


def _why_not(clip: Clip) -> str:
    return clip.parked_reason or clip.decode_error or "it holds no image"


def why_too_few_frames(embedded: EmbeddedStudy) -> str:
    """Why a study is not analysed, empty where it can be: what is not scored is not trained on, either."""
    flow = sum(embedded.flow.values())
    if not embedded.frames and embedded.failures:
        return messages.undecodable(embedded.reasons())
    if not embedded.frames and flow:
        return messages.only_flow(flow)
    if len(embedded.frames) < MIN_USABLE_FRAMES:
        return messages.too_few_frames(len(embedded.frames), MIN_USABLE_FRAMES, flow=flow)
    return ""


def _answer(revision: StudyRevision, model: ModelVersion, engine: Engine, embedded: EmbeddedStudy) -> Answer:
    began = perf_counter()
    scored = engine.score(embedded.embeddings)
    embedded.seconds["pool"] = perf_counter() - began
    point = engine.manifest.triage
    flag = Flag.SUSPECTED if point.suspected(scored.probability) else Flag.NOT_SUSPECTED
    weights = zip(embedded.frames, scored.attention.tolist(), strict=True)
    return Answer(
        flag,
        probability=scored.probability,
        logit=scored.logit,
        attention=[{"sop_uid": uid, "frame": frame, "weight": round(weight, 6)} for (uid, frame), weight in weights],
        operating_point=_applied(engine.manifest),
        inputs=_inputs(revision, model, engine, embedded),
    )


def _applied(manifest: Manifest) -> AppliedOperatingPoint:
    point, achieved = manifest.triage, manifest.triage.achieved
    return {
        "name": manifest.triage_point,
        "threshold": point.threshold,
        "promise": point.promise,
        "achieved": {
            "sensitivity": achieved.sensitivity,
            "interval": list(achieved.interval),
            "specificity": achieved.specificity,
            "n_positive": achieved.n_positive,
        },
        "rule": point.rule,
    }


class ScoreInputs(TypedDict):
    """Everything that an answer depends on, by digest, with where the time went."""

    revision: str
    clips: Annotated[dict[str, str], "SOPInstanceUID to the digest of its bytes"]
    model: str
    backbone: str
    head: str
    preprocessing: str
    compute: Annotated[str, "device and number format"]
    left_out: Annotated[dict[str, str], "SOPInstanceUID to why it could not be decoded"]
    flow_left_out: Annotated[dict[str, int], "SOPInstanceUID to its frames that show colour Doppler"]
    cached_frames: int
    seconds: Annotated[dict[str, float], "by stage"]


def _inputs(revision: StudyRevision, model: ModelVersion, engine: Engine, embedded: EmbeddedStudy) -> ScoreInputs:
    manifest = engine.manifest
    return {
        "revision": revision.digest,
        "clips": dict(revision.clips.values_list("sop_uid", "digest")),
        "model": model.digest,
        "backbone": manifest.backbone_digest,
        "head": manifest.head_digest,
        "preprocessing": manifest.preprocessing,
        "compute": f"{engine.device.type} {str(engine.dtype).removeprefix('torch.')}",
        "left_out": embedded.failures,
        "flow_left_out": embedded.flow,
        "cached_frames": embedded.cached,
        "seconds": {name: round(value, 4) for name, value in embedded.seconds.items()},
    }
