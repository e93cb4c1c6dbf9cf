"""Where `pgen annotate` writes what it finds in photos, and what it draws of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.folders import make_folder
from pgen.cli.terminal import log, warn
from pgen.data.inputs import check_apart
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.body.viz import Picture
    from pgen.cli.photos import Photo
    from pgen.data.annotators.choose import Annotators
    from pgen.inference.inputs import AnnotatedPhoto

_LARGEST = 640  # longer side, in pixels, of a picture on the sheet


def find_annotation_places(
    photos: Sequence[Path], out: Path | None, kinds: Sequence[str], overwrite: bool, sheet: Path | None = None
) -> dict[Path, dict[str, Path]]:
    """Where what is found in each of ``photos`` goes, by kind: beside it or in ``out``; with maps what is carried."""
    from pgen.data.formats.annotation_files import looks_like_map, name_annotations
    from pgen.runtime.atomic_write import check_output

    if out is not None:
        make_folder(out)
    check_apart([sheet], photos)
    places: dict[Path, dict[str, Path]] = {}
    taken: dict[Path, Path] = {}
    for file in photos:
        named, wanted = name_annotations(file, out), [*kinds, *(["carried"] if "parsing" in kinds else [])]
        places[file] = {kind: named[kind] for kind in wanted}
        for place in places[file].values():
            if place in taken:
                raise InputError(f"{file} and {taken[place]} would both be written to {place}; annotate them apart")
            taken[place] = file
        check_apart(places[file].values(), photos)
        for kind, place in places[file].items():
            check_output(place, overwrite)
            if kind == "parsing" and place.exists() and not looks_like_map(place):
                raise InputError(
                    f"{place} is no parsing map, but another picture; move it, or name a folder to write to"
                )
    return places


def annotate_photo(
    file: Path, photo: Photo, places: dict[str, Path], annotators: Annotators, overwrite: bool, is_drawing: bool
) -> list[tuple[str, Picture]]:
    """Write what is found in one photo, or given, to ``places``, by kind; returns pictures of it, with captions."""
    from pgen.data.formats.annotation_files import write_carried
    from pgen.data.formats.parsing import write_parsing
    from pgen.data.formats.pose_json import write_pose_json

    found = photo.annotate(annotators, with_map="parsing" in places)
    log(*(note for note in found.notes if " estimated by " not in note))  # which is the same for all
    for doubt in found.warnings:
        warn(doubt)
    if "pose" in places:
        size = (found.image.shape[0], found.image.shape[1])
        print(write_pose_json(places["pose"], found.pose, size, overwrite, found.confidence))
    if "parsing" in places:
        estimated_by = annotators.parsing_annotator().name if photo.parsing is None else None
        written = write_parsing(places["parsing"], found.parsing, overwrite, estimated_by)
        print(written, *write_carried(places["carried"], found.carried, overwrite), sep="\n")
    return _draw(file.name, found, "parsing" in places) if is_drawing else []


def _draw(name: str, found: AnnotatedPhoto, with_map: bool) -> list[tuple[str, Picture]]:
    """Small pictures of what was found, as a sheet shows many."""
    from pgen.body.viz import colorize_parsing, draw_skeleton, shrink_picture

    small, pose = shrink_picture(found.image, _LARGEST, found.pose)
    pictures = [(name, draw_skeleton(small, pose))]
    if with_map:
        step = -(-max(found.parsing.shape) // _LARGEST)
        pictures.append(("parsing map", colorize_parsing(found.parsing[::step, ::step])))
    return pictures
