"""What `pgen annotate` writes of one photo, and draws of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.terminal import log, warn

if TYPE_CHECKING:
    from pgen.body.viz import Picture
    from pgen.cli.photos import Photo
    from pgen.data.annotators.choose import Annotators
    from pgen.inference.inputs import AnnotatedPhoto

_LARGEST = 640  # longer side, in pixels, of a picture on the sheet


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
