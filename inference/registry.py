"""Which models there are, and which of them triages. No torch: a worker checks the weights' shapes, this their digests.

A model is installed by the digest of its manifest, which names the digests of its weights: the copy in MODELS_FOLDER is
what scores, whatever becomes of the folder that it came from.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.models import User
from inference.core.manifest import BACKBONE, HEAD, MANIFEST, BadModel, Manifest, manifest_digest, read_manifest
from inference.models import ModelState, ModelVersion
from jobs.models import Queue
from jobs.queue import enqueue
from live.models import Audience
from live.publish import publish

logger = logging.getLogger(__name__)

PHANTOMS = "phantoms"
RESCORE = "rescore"
FIRST_MODEL = "The first model that was installed."


Gate = Callable[[ModelVersion], str]
_gates: list[Gate] = []


def before_promotion(gate: Gate) -> None:
    """Ask ``gate`` before a model becomes the champion: why it may not, or nothing. For rooms above this one."""
    if gate not in _gates:
        _gates.append(gate)


class NotPromoted(Exception):
    """The model cannot become the champion; the message says why. The champion is unchanged."""


def folder_of(model: ModelVersion) -> Path:
    """Where a model's three files are."""
    root: Path = settings.MODELS_FOLDER
    return root / model.folder


def manifest_of(model: ModelVersion) -> Manifest:
    """The manifest on disk, with the weights' digests checked. Raises BadModel."""
    manifest = read_manifest(folder_of(model))
    if manifest_digest(folder_of(model)) != model.digest:
        raise BadModel("the manifest is not the one that was installed")
    return manifest


def champion() -> ModelVersion | None:
    """The model that triages now, if any."""
    return ModelVersion.objects.filter(state=ModelState.CHAMPION).first()


def install(folder: Path, *, user: User | None = None, report: dict[str, Any] | None = None) -> ModelVersion:
    """Copy a model folder in and make it a challenger; the same model twice is one. Raises BadModel, audited."""
    try:
        digest = place(folder)
    except BadModel as error:
        audit.record(None, "model.installed", user=user, outcome="refused", folder=folder.name, reason=str(error))
        raise
    with transaction.atomic():
        return enter(digest, user=user, report=report)


def place(folder: Path) -> str:
    """Copy a model folder to where models are kept; returns its digest. Raises BadModel."""
    read_manifest(folder)
    digest = manifest_digest(folder)
    _copy(folder, digest)
    return digest


def enter(digest: str, *, user: User | None = None, report: dict[str, Any] | None = None) -> ModelVersion:
    """Make a placed model known, in the caller's transaction."""
    manifest = read_manifest(settings.MODELS_FOLDER / digest, check_digests=False)
    facts = {
        "name": f"{manifest.name} {manifest.version}",
        "folder": digest,
        "manifest": asdict(manifest),
        "report": report or {},
        "trained_on_phantoms": manifest.trained_on.kind == PHANTOMS,
        "created_by": user,
    }
    model, new = ModelVersion.objects.get_or_create(digest=digest, defaults=facts)
    if new:
        audit.record(None, "model.installed", user=user, model=digest, name=model.name)
        publish("model", audience=Audience.ADMINS)
    return model


def _copy(folder: Path, digest: str) -> None:
    """What was copied is checked, not what was read: only a whole and right folder takes its place under its digest."""
    root: Path = settings.MODELS_FOLDER
    root.mkdir(parents=True, exist_ok=True)
    if _is_whole(root / digest, digest):
        return
    staging = Path(tempfile.mkdtemp(prefix="incoming-", dir=root))
    try:
        for name in (MANIFEST, BACKBONE, HEAD):
            shutil.copyfile(folder / name, staging / name)
            _sync(staging / name)
        read_manifest(staging)
        if manifest_digest(staging) != digest:
            raise BadModel("the folder changed while it was copied")
        shutil.rmtree(root / digest, ignore_errors=True)
        staging.replace(root / digest)
        _sync(root)
    except OSError as error:
        if not _is_whole(root / digest, digest):  # unless another process put the same model there in the meantime
            raise BadModel(f"the folder could not be copied: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_whole(folder: Path, digest: str) -> bool:
    try:
        read_manifest(folder)
        return manifest_digest(folder) == digest
    except BadModel:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ensure_demo_model() -> ModelVersion | None:
    """Install the model that ships with the repository, and let it triage if no model does. Safe to run at any time.

    A demo model that is missing or spoilt is logged and audited, and nothing else changes.
    """
    folder: Path = settings.DEMO_MODEL_FOLDER
    if not (folder / MANIFEST).is_file():
        logger.warning("no demo model is there; without a champion the list stays in clinical order")
        return champion()
    try:
        model = install(folder, report=report_beside(folder))
    except BadModel as error:
        logger.error("the demo model was refused: %s. The champion is unchanged.", error)
        return champion()
    if champion() is None and model.promoted_at is None:
        _promote_first(model)
    return champion()


def _promote_first(model: ModelVersion) -> None:
    try:
        promote(model, user=None, reason=FIRST_MODEL)
    except IntegrityError:
        logger.info("another process chose the first champion")


def report_beside(folder: Path) -> dict[str, Any]:
    """The report that was written beside a model folder, as ``<folder>.report.json`` or ``<folder>_report.json``."""
    for path in (folder.with_name(f"{folder.name}.report.json"), folder.with_name(f"{folder.name}_report.json")):
        if path.is_file():
            report: dict[str, Any] = json.loads(path.read_text())
            return report
    return {}


def promote(model: ModelVersion, *, user: User | None, reason: str, request: HttpRequest | None = None) -> ModelVersion:
    """Make a model the champion; the one before retires, and every study is scored again, unread ones first.

    Promoting a retired model is the rollback. Raises NotPromoted: without a reason, for the champion itself, where
    a gate gives a reason, for files that are no longer what was installed.
    """
    if not reason.strip():
        raise NotPromoted("A promotion needs a reason. It is kept in the audit trail.")
    if reasons := " ".join(filter(None, (gate(model) for gate in _gates))):
        raise NotPromoted(reasons)
    try:
        manifest_of(model)
    except BadModel as error:
        audit.record(request, "model.promoted", user=user, outcome="refused", model=model.digest, reason=str(error))
        raise NotPromoted(f"The model's files were refused: {error}. The champion is unchanged.") from error
    with transaction.atomic():
        chosen = ModelVersion.objects.select_for_update().get(pk=model.pk)
        if chosen.state == ModelState.CHAMPION:
            raise NotPromoted("This model is the champion already.")
        before = ModelVersion.objects.select_for_update().filter(state=ModelState.CHAMPION).first()
        _retire(before)
        _make_champion(chosen, user=user, reason=reason.strip())
        facts: dict[str, Any] = {
            "model": chosen.digest,
            "before": before.digest if before else None,
            "reason": reason.strip(),
        }
        audit.record(request, "model.promoted", user=user, **facts)
    return chosen


def _retire(model: ModelVersion | None) -> None:
    if model is not None:
        model.state = ModelState.RETIRED
        model.save(update_fields=["state"])


def _make_champion(model: ModelVersion, *, user: User | None, reason: str) -> None:
    model.state = ModelState.CHAMPION
    model.promoted_at = timezone.now()
    model.promoted_by = user
    model.promotion_reason = reason
    model.save(update_fields=["state", "promoted_at", "promoted_by", "promotion_reason"])
    payload = {"model": model.pk}
    enqueue(RESCORE, key=f"{model.digest}:{model.promoted_at.isoformat()}", payload=payload, queue=Queue.ROUTINE)
    publish("model", audience=Audience.EVERYONE)
    publish("ai", audience=Audience.READERS)


def refuse(model: ModelVersion, reason: str) -> ModelVersion | None:
    """A model's files turned out to be wrong: it stops triaging, and the last champion that is whole takes over.

    Returns the champion after that; None leaves the list in clinical order, with its banner.
    """
    with transaction.atomic():
        bad = ModelVersion.objects.select_for_update().get(pk=model.pk)
        if bad.state != ModelState.CHAMPION:
            return champion()
        _retire(bad)
        audit.record(None, "model.refused", outcome="refused", model=bad.digest, reason=reason)
        publish("model", audience=Audience.EVERYONE)
        publish("ai", audience=Audience.READERS)
        logger.error("%s was refused: %s", bad.name, reason)
        successor = next((old for old in _earlier_champions(bad) if _is_whole(folder_of(old), old.digest)), None)
        if successor is not None:
            _make_champion(successor, user=None, reason=f"{bad.name} was refused: {reason}")
        return successor


def _earlier_champions(bad: ModelVersion) -> list[ModelVersion]:
    earlier = ModelVersion.objects.filter(state=ModelState.RETIRED, promoted_at__isnull=False).exclude(pk=bad.pk)
    return list(earlier.order_by("-promoted_at"))
