"""Who is examined, when, and what they have: everything of an examination but its pictures.

Examinations come in blocks of 20 indices. A block alone decides its patients, so that any index can be planned
without planning those before it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

BLOCK = 20
SERIAL_SHARE = 0.15
TWIN_SHARE = 0.08
GRADE_MIX = (0.50, 0.25, 0.15, 0.10)
VENDOR_TEXT = "Phantom"
GIVEN = (
    "Ada", "Alan", "Alma", "Amos", "Anouk", "Aster", "Basil", "Bea", "Birk", "Bram", "Carys", "Cedric", "Clio",
    "Cosmo", "Dahlia", "Dara", "Demir", "Edda", "Edwin", "Elio", "Elsa", "Emre", "Enid", "Esme", "Ewan", "Faye",
    "Felix", "Fern", "Finn", "Flora", "Freya", "Gaia", "Gus", "Hana", "Hazel", "Hugo", "Ida", "Ilya", "Ines",
    "Ingrid", "Iris", "Ivo", "Jago", "Jonas", "Juno", "Kai", "Kira", "Lars", "Leda", "Lev", "Lila", "Linus", "Luna",
    "Mabel", "Magnus", "Maia", "Milo", "Mira", "Moss", "Nadia", "Nell", "Nico", "Nora", "Odin", "Olga", "Orla",
    "Oscar", "Otis", "Pearl", "Petra", "Pia", "Quinn", "Rafe", "Remy", "Rhea", "Robin", "Rosa", "Rufus", "Sage",
    "Sami", "Selma", "Silas", "Sol", "Sven", "Tamsin", "Tess", "Theo", "Thora", "Tilda", "Uma", "Una", "Viggo",
    "Vera", "Wanda", "Wilf", "Wren", "Xenia", "Yara", "Yusuf", "Zelda", "Zeno",
)  # fmt: skip
FAMILY_TAILS = (
    "", "Alder", "Birch", "Brook", "Cedar", "Clay", "Dale", "Elm", "Fell", "Fjord", "Glen", "Heath", "Holm", "Isle",
    "Lake", "Larch", "Marsh", "Mere", "Moor", "Oak", "Pine", "Reed", "Ridge", "Rowan", "Shore", "Stone", "Thorn",
    "Vale",
)  # fmt: skip


def stream(*key: int | str) -> np.random.Generator:
    """An independent generator for a key such as (seed, "plan", 7)."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


@dataclass(frozen=True)
class Slot:
    """Where an index falls: which patient of the cohort, which of that patient's examinations."""

    patient: int
    visit: int
    visits: int
    twin: int
    """0: no twin; 1, 2: first and second born."""
    first_of_pair: int
    """Number of the pair's first patient (the patient itself if no twin)."""


@dataclass(frozen=True)
class Plan:
    """One examination on paper. Grades are Papile's, 0 for none; dates are those of the scan and of birth."""

    seed: int
    index: int
    patient_number: int
    patient_id: str
    patient_name: str
    sex: str
    twin_group: str
    gestational_age_weeks: float
    birth_weight_g: int
    birth_date: date
    scanned_at: datetime
    grade_right: int
    grade_left: int
    device: int

    @property
    def positive(self) -> bool:
        return max(self.grade_right, self.grade_left) > 0

    @property
    def phi(self) -> bool:
        """Parenchymal haemorrhagic infarction on either side."""
        return max(self.grade_right, self.grade_left) == 4

    @property
    def postmenstrual_weeks(self) -> float:
        return self.gestational_age_weeks + (self.scanned_at.date() - self.birth_date).days / 7


def plan(
    *,
    seed: int,
    index: int,
    positive_fraction: float,
    reference_date: date,
    grades: tuple[int, int] | None = None,
    device: int | None = None,
) -> Plan:
    """Plan the examination `index` of the cohort `seed`, with `grades` (right, left) and `device` replaced if given.

    Raises ValueError for a share outside 0..1 or a negative index.
    """
    if not 0 <= positive_fraction <= 1 or index < 0:
        raise ValueError("positive_fraction must lie in 0..1 and index must not be negative")
    slot = _slots(seed, index // BLOCK)[index % BLOCK]
    right, left = grades or _grades(seed, slot, positive_fraction)
    drawn = int(stream(seed, "device", index).choice(4, p=[0.32, 0.28, 0.22, 0.18]))
    birth = stream(seed, "birth", slot.first_of_pair)
    age = float(np.clip(birth.normal(29.5, 2.6), 23.5, 36.5))
    tail = FAMILY_TAILS[int(birth.integers(len(FAMILY_TAILS)))]
    last_seen = int(birth.integers(0, 10))
    days = _visit_days(birth)
    born = reference_date - timedelta(days=last_seen + days[slot.visits - 1])
    person = stream(seed, "person", slot.patient)
    weight = 1150 * (age / 28.5) ** 3.4 * math.exp(person.normal(0, 0.14)) * (0.9 if slot.twin else 1.0)
    minute = int(stream(seed, "clock", index).integers(7 * 60 + 30, 18 * 60))
    scanned = datetime.combine(born + timedelta(days=days[slot.visit]), time(minute // 60, minute % 60))
    tag = int.from_bytes(hashlib.sha256(f"cohort/{seed}".encode()).digest()[:3]) % 9000 + 1000
    return Plan(
        seed=seed,
        index=index,
        patient_number=slot.patient,
        patient_id=f"PH{tag}-{slot.patient:05d}",
        patient_name=f"{VENDOR_TEXT}{'-' + tail if tail else ''}^{_given(seed, slot)}",
        sex=str(person.choice(["F", "M"])),
        twin_group=f"TW{tag}-{slot.first_of_pair:05d}" if slot.twin else "",
        gestational_age_weeks=round(age * 7) / 7,
        birth_weight_g=int(np.clip(round(weight / 10) * 10, 420, 3600)),
        birth_date=born,
        scanned_at=scanned,
        grade_right=right,
        grade_left=left,
        device=drawn if device is None else device,
    )


@lru_cache(maxsize=64)
def _slots(seed: int, block: int) -> tuple[Slot, ...]:
    """Fill a block with patients: most alone with one scan, some with two or three, some twins."""
    rng = stream(seed, "block", block)
    slots: list[Slot] = []
    patient = block * BLOCK
    while len(slots) < BLOCK:
        room = BLOCK - len(slots)
        twins = room >= 2 and rng.random() < TWIN_SHARE
        visits = min(int(rng.integers(2, 4)), room // (2 if twins else 1)) if rng.random() < SERIAL_SHARE else 1
        for twin in (1, 2) if twins else (0,):
            first = patient - (twin == 2)
            slots += [Slot(patient, visit, visits, twin, first) for visit in range(visits)]
            patient += 1
    return tuple(slots)


@lru_cache(maxsize=64)
def _positive_patients(seed: int, block: int, fraction: float) -> frozenset[int]:
    """Patients with a bleed: whole patients, so that the block's share of scans stays close to the fraction."""
    start = float(stream(seed, "share").random())
    quota = math.floor(fraction * BLOCK * (block + 1) + start) - math.floor(fraction * BLOCK * block + start)
    visits = {slot.patient: slot.visits for slot in _slots(seed, block)}
    chosen: set[int] = set()
    for patient in stream(seed, "positives", block).permutation(sorted(visits)):
        if visits[int(patient)] <= quota:
            chosen.add(int(patient))
            quota -= visits[int(patient)]
    return frozenset(chosen)


def _grades(seed: int, slot: Slot, fraction: float) -> tuple[int, int]:
    if slot.patient not in _positive_patients(seed, slot.patient // BLOCK, fraction):
        return 0, 0
    rng = stream(seed, "grades", slot.patient)
    worst = int(rng.choice(4, p=GRADE_MIX)) + 1
    other = int(rng.integers(1, min(worst, 3) + 1)) if rng.random() < 0.3 else 0
    return (worst, other) if rng.random() < 0.45 else (other, worst)


def _visit_days(rng: np.random.Generator) -> tuple[int, int, int]:
    """Days of life of the first, second and third scan (local protocols: within a week, then weeks later)."""
    first = int(rng.integers(2, 7))
    second = first + int(rng.integers(5, 11))
    return first, second, second + int(rng.integers(14, 25))


def _given(seed: int, slot: Slot) -> str:
    """A given name; neighbours in the cohort, twins above all, never share one."""
    offset = int(stream(seed, "names").integers(len(GIVEN)))
    return GIVEN[(offset + slot.patient * 37) % len(GIVEN)]
