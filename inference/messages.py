"""The sentences that a score says for itself, in one place."""

from __future__ import annotations

DEMO_WARNING = "demo model, trained on phantoms: means nothing for this study"
NO_IMAGES = "No clip of this study can be scored"
FLOW = "They show colour Doppler, which the model has not learned"
REPLACED = "A picture of this set has been replaced since: the set that holds the new one is scored in its place."
STAYS = "It stays in the list, in clinical order."


def too_few_frames(usable: int, needed: int, *, flow: int = 0) -> str:
    """``flow``: frames that are left out for their colour Doppler."""
    frames = "frame" if usable == 1 else "frames"
    left_out = f" {flow} with colour Doppler are left out." if flow else ""
    return f"Only {usable} usable {frames}; at least {needed} are needed.{left_out}"


def only_flow(frames: int) -> str:
    """Why no frame is left: each shows colour Doppler."""
    return f"All its {frames} frames that were looked at show colour Doppler, which the model has not learned."


def _first_three(reasons: list[str]) -> str:
    """At most three different reasons."""
    different = dict.fromkeys(reason.rstrip(". ") for reason in reasons if reason)
    return "; ".join(list(different)[:3])


def not_scorable(reasons: list[str]) -> str:
    """Why nothing could be scored: each reason once."""
    return f"{NO_IMAGES}: {_first_three(reasons) or 'it has none'}."


def undecodable(reasons: list[str]) -> str:
    """Why no frame could be decoded."""
    return f"Its images could not be decoded: {_first_three(reasons)}."


def failed(attempts: int, error: str) -> str:
    """Why the study has no answer although the model tried."""
    return f"The AI failed {attempts} times on this study ({error[:200].rstrip('. ')}). {STAYS}"
