"""Every named edit on held-out synthetic people: how many show it, and that all else stays.

An edit is shown if at least nine in ten of the pixels it changes have the label it is about in the map that H_A paints
into, in the networks' frame. Edits that change nothing (the person wears it so) or are refused are counted apart.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_manipulation.py``; ``PGEN_WEIGHTS`` names the weights (default: the
bundled ones), ``PGEN_PEOPLE`` how many people, ``PGEN_SHEET`` a PNG file for the first of them.
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from pgen.body.drawing import sheet
from pgen.data.images import write_png
from pgen.errors import InputError
from pgen.people.dataset import synthetic_example
from pgen.synthesis.generator import load

SEED = 4243
EDITS: tuple[dict[str, str | float], ...] = (
    {"sleeves": "none"},
    {"sleeves": "long"},
    {"lower": "pants"},
    {"lower": "shorts"},
    {"lower": "skirt"},
    {"length": "knee"},
    {"hair": "short"},
    {"hair": "long"},
    {"neckline": "v"},
)


@pytest.mark.benchmark
def test_bench_manipulation() -> None:
    model = load(os.environ.get("PGEN_WEIGHTS") or None, "cpu")
    counts: Counter[tuple[str, str]] = Counter()
    rows = []
    for index in range(int(os.environ.get("PGEN_PEOPLE", "50"))):
        example = synthetic_example(SEED, index, 0, model.frame)
        person = model.person(example.image, example.pose, example.parsing)
        row = [(example.name, example.image)]
        for edits in EDITS:
            name = " ".join(f"{key}={value}" for key, value in edits.items())
            try:
                result = person.manipulate(**edits)
            except InputError:
                counts[name, "refused"] += 1
                continue
            row.append((name, result.image))
            if not result.changed.any():
                counts[name, "as it was"] += 1
                continue
            used = person.fit.parsing(result.parsing)
            shown = (used == result.parsing)[result.changed].mean() >= 0.9
            away = ndimage.distance_transform_edt(~result.changed) > 4
            kept = (result.image == person.image)[away].all()
            painted = (result.image != person.image)[result.changed].any()
            counts[name, "shown" if shown and kept and painted else "failed"] += 1
        if index < 10:
            rows.append(row)
    print(f"\n{model.origin}")
    for edits in EDITS:
        name = " ".join(f"{key}={value}" for key, value in edits.items())
        kinds = ("shown", "failed", "as it was", "refused")
        print(f"{name:16}", ", ".join(f"{kind} {counts[name, kind]}" for kind in kinds))
    if os.environ.get("PGEN_SHEET"):
        write_png(os.environ["PGEN_SHEET"], sheet(rows, cell=(192, 192)), force=True)
    assert not np.sum([count for (_, kind), count in counts.items() if kind == "failed"])
