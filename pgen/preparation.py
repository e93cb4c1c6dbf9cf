"""From a data set on disk, or synthetic people, to the file that networks are trained on and scored with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgen.data.build_store import Summary, build_store, check_store_output, partial_path
from pgen.data.dropped_list import doubts_path, dropped_path
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_people import MIN_CONFIDENCE
from pgen.data.inputs import check_apart, list_given
from pgen.data.readers.given import Estimating, GivenFiles
from pgen.data.readers.photo_checks import check_photos
from pgen.data.readers.photo_set import PhotoSet
from pgen.data.readers.registry import READERS
from pgen.errors import InputError, PgenError
from pgen.pseudo_labels.matches import make_pseudo_labels
from pgen.runtime.busy_processors import count_processors
from pgen.runtime.lazy_object import load_object
from pgen.runtime.progress import Progress, show_nothing

PathLike = str | os.PathLike[str]

_MARKET_SIZE, _MOST_PSEUDO_LABELS = (128, 64), 100


def prepare(
    dataset: str,
    out: PathLike,
    root: PathLike | None = None,
    *,
    size: tuple[int, int] | None = None,
    images: PathLike | None = None,
    keypoints: PathLike | Sequence[PathLike] = (),
    frame: tuple[int, int] | None = None,
    parsing: PathLike | None = None,
    parsing_scheme: str | None = None,
    min_confidence: float | None = None,
    pairs: PathLike | Sequence[PathLike] = (),
    annotate: str | Sequence[str] = (),
    pose_annotator: str = "mediapipe",
    parser: str = "pgen",
    strict: bool = False,
    people: int | PathLike | None = None,
    test_share: float | None = None,
    poses: int | None = None,
    test_people: int | None = None,
    style: str | None = None,
    pseudo_labels: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    resume: bool = True,
    overwrite: bool = False,
    log: Callable[[str], None] = lambda message: None,
    warn: Callable[[str], None] = lambda message: None,
    progress: Progress = show_nothing,
) -> Summary:
    """Turn a data set into one HDF5 file for training and evaluation.

    Photos of another size are scaled as a whole and padded. What cannot be used is left out, counted under its reason,
    and listed beside the output in OUT.dropped.csv; so are pairs, names in lists and rows of keypoints whose photo is
    not there. What annotators doubt is listed in OUT.doubts.csv, and kept as the attribute "doubts" of the photo. After
    an interruption the same call goes on where it was.

    Args:
        dataset: one of `pgen.data.readers.registry.READERS`: "deepfashion", "market1501", "folder", "synthetic".
        out: the file to write.
        root: folder of the data set; None for datasets/NAME, which "folder" has not.
        size: (height, width) of the stored photos; None for 256x256, or 128x64 for people as Market-1501 has them.
        images: where in ``root`` the photos are, if not where the reader looks.
        keypoints: keypoint CSVs, COCO JSON, or folders with a file a photo, in place of the data set's own.
        frame: (height, width) that the keypoints refer to, if it is not the photo's own.
        parsing: folder of parsing maps, in place of the data set's own.
        parsing_scheme: labels of the maps: a bundled scheme or a table of one's own, FILE.toml; None for spt10.
        min_confidence: joints in files of keypoints that are less sure are left out; None for 0.1.
        pairs: list of pairs for testing, in place of the data set's own; two are names of sources and of targets.
        annotate: what is estimated where photos lack it: "pose", "parsing".
        pose_annotator, parser: what estimates it.
        strict: stop at the first photo that cannot be used, and at lists that name a photo that is not there.
        people: of "folder", who is who: "folder", photos in one folder below that of the photos are one person's; a
            regular expression with one group, the person in a photo's name; or a CSV file photo,person. None for
            folders and pairs. Of synthetic people, how many (1000).
        test_share: of "folder", the share of the people who are for testing, where no list says it.
        poses, test_people, style: of synthetic people: photos of each (4), how many of them are for testing (a tenth),
            and "fashion", "market" or "mixed".
        pseudo_labels: how many maps to find for each for the training of the semantic generator; None for none.
        seed: chooses pairs, and the synthetic people.
        workers: processes; None for one a processor.
        resume: go on with what an interrupted call has left.
        overwrite: replace an ``out`` that exists.
        log, warn, progress: where messages go, and what shows progress.

    Returns:
        What was kept, dropped, and why.

    Raises:
        InputError: something is missing, does not fit or could mean two things; ``option`` names the parameter.
    """
    entry = READERS.get(dataset)
    if entry is None:
        raise InputError(f"there is no data set {dataset!r}; choose one of {', '.join(READERS)}", option="dataset")
    keypoints, pairs, annotate = list_given(keypoints), list_given(pairs), list_given(annotate)
    given: dict[str, Any] = {
        "root": root, "images": images, "keypoints": keypoints, "frame": frame, "parsing": parsing,
        "parsing_scheme": parsing_scheme, "pairs": pairs, "annotate": annotate,
        "min_confidence": min_confidence,
        "people": people, "test_share": test_share, "poses": poses, "test_people": test_people, "style": style,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value not in (None, [])}
    for name in given:
        if name not in entry.takes:
            others = ", ".join(other for other, its in READERS.items() if name in its.takes)
            raise InputError(f"{name.replace('_', ' ')} belongs to {others}, not to {dataset}", option=name)
    if pseudo_labels is not None and not 1 <= pseudo_labels <= _MOST_PSEUDO_LABELS:
        limits = f"1 to {_MOST_PSEUDO_LABELS} pseudo labels are made of each map"
        raise InputError(f"{limits}, not {pseudo_labels:,}", option="pseudo_labels")
    if entry.is_root_needed and root is None:
        raise InputError(f"the data set {dataset!r} needs the root folder of its photos", option="root")
    size = size or (_MARKET_SIZE if style == "market" else entry.size)
    out = Path(out)
    check_store_output(out, overwrite)
    folder = None
    if "root" in entry.takes:
        folder = Path(root) if root is not None else Path("datasets") / dataset
    estimating = _load_annotators(annotate, pose_annotator, parser, progress) if annotate else None
    scheme = load_scheme(parsing_scheme) if parsing_scheme else None
    maps = Path(parsing) if parsing is not None else None
    least = MIN_CONFIDENCE if min_confidence is None else min_confidence
    files = GivenFiles([*map(Path, keypoints)], maps, [*map(Path, pairs)], frame, images, scheme, estimating, least)
    options = {name: value for name, value in (given | {"seed": seed}).items() if name in entry.options}
    found = load_object(entry.find)(folder, files, size, **options)
    for note in found.notes:
        log(note)
    if isinstance(found, PhotoSet):
        _check_used(given, found)
        for doubt in check_photos(found):
            warn(doubt)
    says_people = str(people).lower().endswith(".csv")  # else a pattern, which may be too long for a name
    estimated_by = {"pose": ("pose_annotator", pose_annotator), "parsing": ("parser", parser)}
    told = given | dict(estimated_by[kind] for kind in annotate)
    tables = [path for path in map(Path, (parsing_scheme or "", str(people) * says_people)) if path.is_file()]
    _check_apart(out, found, [*keypoints, *pairs, *tables])
    with progress("preparing", len(found)) as advance, _tell_what_is_kept(out, log):
        summary = build_store(
            found.jobs(), out, size,
            source=dataset if folder is None else f"{dataset} {folder}",
            options={"size": list(size), "seed": seed} | {name: _to_provenance(value) for name, value in told.items()},
            root=folder, files=(*found.files, *tables),
            pairs=found.pairs, train_pairs=found.train_pairs, seed=seed, workers=workers or count_processors(),
            missing=found.missing, resume=resume, overwrite=overwrite, strict=strict, advance=advance,
        )  # fmt: skip
    if pseudo_labels is None:
        return summary
    with progress("pseudo labels", 2 * summary.kept) as advance:
        try:
            make_pseudo_labels(out, pseudo_labels, advance)
        except InputError as error:
            raise InputError(f"{error}; {out} was written without pseudo labels") from error
    return replace(summary, pseudo_labels=pseudo_labels)


def _check_used(given: Mapping[str, Any], found: PhotoSet) -> None:
    """Refuse what is ``given`` about poses or maps in files where there are none."""
    has_poses, has_maps = (any(getattr(one, kind) is not None for one in found.photos) for kind in ("pose", "parsing"))
    for name, is_used, files in (
        ("frame", has_poses, "keypoints"),
        ("min_confidence", has_poses, "keypoints"),
        ("parsing_scheme", has_maps, "parsing maps"),
    ):
        if name in given and found.photos and not is_used:
            raise InputError(f"this is about {files} in files, and no photo has any; leave it out", option=name)


def _load_annotators(kinds: Sequence[str], pose: str, parser: str, progress: Progress) -> Estimating:
    """What is estimated. Raises `InputError` if it cannot be, as annotators or weights are missing."""
    if not set(kinds) <= {"pose", "parsing"}:
        raise InputError(f"{', '.join(kinds)}: pose and parsing can be estimated", option="annotate")
    estimating = Estimating("pose" in kinds, "parsing" in kinds, pose, parser)
    if estimating.parsing:
        estimating.annotators().parsing_annotator()
    if estimating.pose:
        with progress(f"loading {pose}", None):
            estimating.annotators().pose_annotator()
    return estimating


def _check_apart(out: Path, found: Any, tables: Sequence[PathLike]) -> None:
    """Refuse an ``out``, or a list of what is left out of it, that is a file which is read."""
    photos = found.photos if isinstance(found, PhotoSet) else ()
    files = [file for photo in photos for file in (photo.path, photo.pose, photo.parsing, photo.carried)]
    check_apart((out, dropped_path(out), doubts_path(out), partial_path(out)), [*found.files, *tables, *files])


def _to_provenance(value: Any) -> Any:
    """A parameter as a store keeps it."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if isinstance(value, int | float | tuple) else str(value)


@contextmanager
def _tell_what_is_kept(out: Path, log: Callable[[str], None]) -> Iterator[None]:
    """When the block is interrupted or fails, say that what is finished is not lost."""
    try:
        yield
    except BaseException as error:
        partial = partial_path(out)
        is_stopped = isinstance(error, (KeyboardInterrupt, SystemExit, PgenError)) and not isinstance(error, InputError)
        if is_stopped and partial.exists():
            log(f"{partial} keeps what is finished; the same command goes on from there")
        raise
