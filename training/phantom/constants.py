"""What marks a phantom, and the knobs of the recipe. Imports nothing heavy, so that anyone may ask."""

from __future__ import annotations

from dataclasses import dataclass, field

PHANTOM_MANUFACTURER = "Fontanelle Phantom Works"
PHANTOM_COMMENT = "PHANTOM: generated image of no person. Research use only."
RECIPE_VERSION = 1
DEFAULT_REFERENCE_DATE = "2026-01-15"
DEFAULT_POSITIVE_FRACTION = 0.058


@dataclass(frozen=True)
class Knobs:
    """How hard a cohort is. The defaults are plain to a person; a benchmark cohort lowers `bleed_db`."""

    bleed_db: float = 12.0
    """Mean echo of blood above brain tissue, dB."""
    bleed_sd_db: float = 1.2
    mimic_rate: float = 0.12
    """Share of patients with a bulky choroid plexus or a strong periventricular flare."""
    distractor_rate: float = 0.10
    """Chance per sweep of one frame with a bright blob that is no bleed."""
    repeat_rate: float = 0.05
    """Chance per sweep of a frozen (repeated) frame."""
    blank_rate: float = 0.04
    """Chance per sweep of a frame without contact."""
    shadow_db: float = 15.0
    """Loss of echo beside the fontanelle, dB."""
    variety: float = field(default=0.0, repr=False)
    """How far heads, grooves, plexuses, gain and the hand stray from the ordinary, 0..1. The knobs below this line are
    not part of an examination's name while they have their defaults, so that older phantoms keep their UIDs."""
    caption_rate: float = field(default=0.0, repr=False)
    """Chance per clip of calipers and a caption burned into the sector, whether there is blood or not."""
    blob_db: float | None = field(default=None, repr=False)
    """Mean echo of the distractors, that of blood where it is not said."""

    @property
    def name(self) -> str:
        """What goes into the UIDs of the examinations made with these knobs."""
        later = {key: getattr(self, key) for key in ("variety", "caption_rate", "blob_db") if getattr(self, key)}
        return f"{self}{later or ''}"


@dataclass(frozen=True)
class Size:
    """Pixels of the screen, samples of the simulated beam grid, and frames per view."""

    name: str
    width: int
    height: int
    depth_samples: int
    beams: int
    sweep: tuple[int, int]
    """Least and most frames of a coronal sweep; the other views take their share of it."""


SIZES = {
    "small": Size("small", 512, 384, 320, 160, (8, 9)),
    "cohort": Size("cohort", 400, 300, 192, 112, (8, 8)),
    "full": Size("full", 800, 600, 512, 256, (24, 48)),
}
