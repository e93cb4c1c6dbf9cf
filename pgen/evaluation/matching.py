"""Which result belongs to which pair, what is missing, and what is not as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pgen.data.formats.images import read_image
from pgen.data.inputs import read_start
from pgen.data.readers.deepfashion import make_photo_key
from pgen.data.readers.tree import find_photos, no_photos_error
from pgen.errors import InputError
from pgen.evaluation.layouts import Layout, choose_layout, find_true_panel, parse_pair
from pgen.evaluation.photos import Pair, Photos

_SAMPLE = 24  # results whose panels are compared with the true photos


@dataclass(frozen=True)
class MatchedResults:
    """The results of a folder, by pair."""

    layout: Layout
    pairs: list[Pair]  #: those that have a result, in the order of the list, else of the files' names
    missing: list[str]  #: pairs, or without a list of them photos, that have none
    surplus: list[str]  #: files that belong to no pair
    notes: list[str]  #: what else should be known


def match_results(
    folder: Path,
    photos: Photos,
    layout: str | None = None,
    panel: int | None = None,
    wanted: Sequence[tuple[str, str]] | None = None,
    all_photos: Sequence[str] = (),
) -> MatchedResults:
    """The results in ``folder`` by pair.

    Args:
        layout: a name of `LAYOUTS`; else the one that the files' names have.
        panel: the panel with the output, counted from 1, if not that of the layout.
        wanted: the (source, target) names of the pairs that should be there.
        all_photos: without ``wanted``, photos that should each be named by a result.

    Raises:
        InputError: no results, names that fit no layout or no photo, or panels in another order.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder of the results", option="generated")
    scanned = find_photos(folder)
    files = list(scanned)
    if not files:
        raise no_photos_error(folder)
    chosen = choose_layout(layout, files, photos)
    if panel is not None:
        if not 1 <= panel <= chosen.panels:
            raise InputError(
                f"results laid out as {chosen.name} have {chosen.panels} panels, no {panel}", option="panel"
            )
        true_panel = chosen.output if chosen.target == panel - 1 else chosen.target
        chosen = replace(chosen, output=panel - 1, target=true_panel)
    notes = [*scanned.notes, *([f"layout {chosen.name}"] if layout is None else [])]
    parsed = {file: parse_pair(file, chosen, photos) for file in files}
    surplus = [file for file, pair in parsed.items() if pair is None]
    found = [pair for pair in parsed.values() if pair is not None]
    if wanted is None:
        pairs = found
        named = {name for pair in pairs for name in (pair.source, pair.target)}
        missing = [name for name in all_photos if name not in named]
    else:
        pairs, missing = _match_list(found, wanted, photos)
        used = {pair.file for pair in pairs}
        surplus += [str(pair.file) for pair in found if pair.file not in used]
    if not pairs:
        first = found[0].file if found else files[0]
        raise InputError(
            f"{folder}: no result belongs to a pair; the first is {first}; look at the pairs and the "
            f"layout ({chosen.name})",
            option="layout",
        )
    _check_panels(folder, chosen, photos, pairs, panel is not None)
    jpegs = [pair.file for pair in pairs if pair.file and read_start(folder / pair.file, 3) == b"\xff\xd8\xff"]
    if jpegs:
        notes.append(
            f"{len(jpegs)} of {len(pairs)} results are JPEG, such as {jpegs[0]}: compression costs them some points"
        )
    return MatchedResults(chosen, pairs, missing, surplus, notes)


def _match_list(
    found: Sequence[Pair], wanted: Sequence[tuple[str, str]], photos: Photos
) -> tuple[list[Pair], list[str]]:
    """The wanted pairs that have a result, and those that have none."""
    by_pair = {(one.source, one.target): one for one in reversed(found)}
    # Sources that are no photo here are told by what is written, in whatever form.
    by_text = {(make_photo_key(one.written_source), one.target): one for one in reversed(found) if one.source is None}
    by_target = {one.target: one for one in reversed(found)}  # the first one, if there are several
    sourceless = all(not one.written_source for one in found)  # files are named like the target alone
    targets = Counter(target for _, target in wanted)
    pairs, missing = [], []
    for source, target in wanted:
        if sourceless and targets[target] > 1:
            raise InputError(
                f"{targets[target]} pairs have the target {target}, and the results' names do not tell the source; "
                "write results as SOURCE__TARGET.png"
            )
        its_source, its_target = photos.find(source), photos.find(target) or target
        if sourceless:
            result = by_target.get(its_target)
        else:
            result = by_pair.get((its_source, its_target)) if its_source is not None else None
            result = result or by_text.get((make_photo_key(its_source or source), its_target))
        if result is None:
            missing.append(f"{source} → {target}")
        else:
            pairs.append(Pair(its_source, its_target, result.file))
    return pairs, missing


def _check_panels(folder: Path, layout: Layout, photos: Photos, pairs: Sequence[Pair], given: bool) -> None:
    """Refuse results whose true panel, by its content, is not where the layout has it."""
    if layout.target is None:
        return
    places: Counter[int] = Counter()
    for pair in pairs[:: max(1, len(pairs) // _SAMPLE)][:_SAMPLE]:
        try:
            place = find_true_panel(read_image(folder / str(pair.file)), photos.load(pair.target).image, layout)
        except InputError:
            continue  # noted when the pair is scored
        if place is not None:
            places[place] += 1
    if not places:
        return
    place, count = places.most_common(1)[0]
    if place == layout.output or (place != layout.target and not given):
        raise InputError(
            f"{folder}: the panels are in another order than those of {layout.name}: in {count} of {places.total()} "
            f"results looked at, panel {place + 1} is the true photo, which should be panel {layout.target + 1}; say "
            "which panel is the output",
            option="panel",
        )
