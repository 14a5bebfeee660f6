"""The sentences that a score says for itself, in one place."""

from __future__ import annotations

DEMO_WARNING = "demo model, trained on phantoms: means nothing for this study"
NO_IMAGES = "No clip of this study can be scored"
REPLACED = "A picture of this set has been replaced since: the set that holds the new one is scored in its place."
STAYS = "It stays in the list, in clinical order."


def too_few_frames(usable: int, needed: int) -> str:
    frames = "frame" if usable == 1 else "frames"
    return f"Only {usable} usable {frames}; at least {needed} are needed."


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
