"""Every named edit on held-out synthetic people: whether our parser finds it in the result, and that all else stays.

In the area that an edit changes, the parsing map that our parser makes of the result is compared with the edited map:
the share of pixels with its label (``pixels``), and the share of people of whom most pixels have it (``people``).
Beside them what that share is before the edit (``before``), and how well the parser does in the same area on the
unedited photo (``parser``). Edits that change next to nothing (the person wears it so), and refused ones, are counted
apart; so are trousers and skirts in photos that end above the knees, where nobody can tell them.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_manipulation.py``; ``PGEN_WEIGHTS`` names the weights and
``PGEN_PARSER`` the parser's (default: the bundled ones), ``PGEN_PEOPLE`` how many people, ``PGEN_SEED`` which ones,
``PGEN_EDITS`` which edits (such as ``sleeves,lower=skirt``), ``PGEN_POSES=estimated`` parses with estimated poses and
silhouettes instead of true ones, ``PGEN_SHEET`` a PNG file for the first people, ``PGEN_KEEP`` a folder that keeps
what is rendered.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.edits.registry import EDITS
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.body.viz import colorize_parsing, draw_sheet
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import NobodyFoundError, ParsingRequest
from pgen.data.annotators.own_parser import OwnParser
from pgen.data.formats.images import write_image
from pgen.data.readers.synthetic import synthetic_example
from pgen.errors import InputError
from pgen.inference.predictor import load
from tests.benchmarks.kept import Arrays, kept

Map = NDArray[np.uint8]

SEED = int(os.environ.get("PGEN_SEED", "4243"))
#: How many people the sheet shows, and how large.
ROWS, CELL = 6, (128, 128)
#: An edit that changes a smaller share of the picture is none.
SMALLEST = 0.001
#: How many pixels around a change may change too, at 256×256.
BORDER = 4


def chosen() -> list[tuple[str, str]]:
    """The edits that are asked for, as names and values."""
    everything = [(name, value) for name, edit in EDITS.items() for value in edit.choices]
    wanted = os.environ.get("PGEN_EDITS")
    return [edit for edit in everything if not wanted or {edit[0], "=".join(edit)} & set(wanted.split(","))]


def people(size: tuple[int, int]) -> Iterator[Arrays]:
    """Photos with true maps and poses."""
    index = 0
    while True:
        example = synthetic_example(SEED, index, 0, size)
        yield {"image": example.image, "parsing": example.parsing, "pose": example.pose}
        index += 1


class Judge:
    """Our parser, with true or with estimated poses and silhouettes."""

    def __init__(self) -> None:
        self._parser = OwnParser(os.environ.get("PGEN_PARSER"))
        self._estimated = Annotators() if os.environ.get("PGEN_POSES") == "estimated" else None

    def maps(self, shown: Sequence[tuple[Map, Map]], pose: NDArray[np.float32]) -> list[Map]:
        """Maps of pictures of one person, each given with its true map; the true pose is ``pose``."""
        asked = [self._request(image, labels, pose) for image, labels in shown]
        return [found.labels for found in self._parser.parse(asked)]

    def _request(self, image: Map, labels: Map, pose: NDArray[np.float32]) -> ParsingRequest:
        if self._estimated is not None:
            with suppress(NobodyFoundError):
                found = self._estimated.pose(image, "the picture").person
                return ParsingRequest(image, found.pose, found.silhouette)
        return ParsingRequest(image, pose, (labels != Label.BACKGROUND).astype(np.float32))


@pytest.mark.benchmark
def test_bench_manipulation() -> None:
    model, judge = load(os.environ.get("PGEN_WEIGHTS") or None, "cpu"), Judge()
    count = int(os.environ.get("PGEN_PEOPLE", "50"))
    shares: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    counts: Counter[tuple[str, str]] = Counter()
    names = ["=".join(edit) for edit in chosen()]
    rows = []
    for index, example in enumerate(kept(f"manipulation-{SEED}", count, lambda: people(model.frame))):
        image, truth, pose = (example[what] for what in ("image", "parsing", "pose"))
        person = model.person(image, pose, truth, crop=False)
        results = {}
        for edit in chosen():
            name = "=".join(edit)
            try:
                result = model.manipulate(person, {edit[0]: edit[1]})
            except InputError:
                counts[name, "refused"] += 1
                continue
            if result.changed.mean() < SMALLEST:
                counts[name, "as it was"] += 1
                continue
            if edit[0] == "lower" and not np.isfinite(pose[[Joint.R_KNEE, Joint.L_KNEE]]).any():
                counts[name, "cut off"] += 1
                continue
            results[name] = result
            away = ndimage.distance_transform_edt(~result.changed) > BORDER
            counts[name, "touched more"] += int((result.image != image)[away].any())
        shown = [(image, truth), *((result.image, result.parsing) for result in results.values())]
        before, *after = judge.maps(shown, pose)
        for (name, result), found in zip(results.items(), after, strict=True):
            area = result.changed
            agreed = ((found == result.parsing), (before == result.parsing), (before == truth))
            shares[name].append(tuple(float(one[area].mean()) for one in agreed))
        if index < ROWS:
            seen = dict(zip(results, zip(results.values(), after, strict=True), strict=True))
            nothing = np.full_like(image, 255)
            rows.append([("photo", image), *((one, seen[one][0].image if one in seen else nothing) for one in names)])
            maps = (colorize_parsing(seen[one][1]) if one in seen else nothing for one in names)
            rows.append([("its map, estimated", colorize_parsing(before)), *(("", labels) for labels in maps)])
    print(f"\n{model.origin}; {count} people; parser {os.environ.get('PGEN_PARSER') or 'bundled'}")
    print(f"{'edit':16} pixels people before parser  judged, as it was, refused, cut off, touched more")
    for name in names:
        found = np.array(shares[name]).reshape(-1, 3)
        numbers = (found[:, 0].mean(), (found[:, 0] > 0.5).mean(), found[:, 1].mean(), found[:, 2].mean())
        others = ", ".join(str(counts[name, kind]) for kind in ("as it was", "refused", "cut off", "touched more"))
        print(f"{name:16}", *(f"{number:6.3f}" for number in numbers), f" {len(found)}, {others}")
    if os.environ.get("PGEN_SHEET"):
        write_image(os.environ["PGEN_SHEET"], draw_sheet(rows, cell=CELL), overwrite=True)
    assert not sum(number for (_, kind), number in counts.items() if kind == "touched more")
    assert all(np.mean([one[0] > 0.5 for one in shares[name]]) >= 0.9 for name in names if shares[name])
