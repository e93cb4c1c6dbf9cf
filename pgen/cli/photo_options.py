"""Options about photos that would do nothing: they are refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pgen.cli.given_options import refuse_idle
from pgen.cli.options import flag_of
from pgen.cli.photos import Photo
from pgen.errors import InputError

#: Kinds of poses that may show several people.
_SEVERAL = ("image", "video", "folder", "json")


def check_role(photos: Sequence[Photo], frame: str | None, targets: Sequence[str] = ()) -> None:
    """Refuse a ``frame`` that is of no pose, and the number of a person where no photo, pose or target has several."""
    role = photos[0].role
    if frame is not None and all(photo.pose is None for photo in photos):
        flags = flag_of(f"{role}_frame"), flag_of(f"{role}_pose")
        raise InputError(f"{flags[0]} {frame} is that of {flags[1]}, which is not given")
    chosen = [photo.source if photo.pose is None else photo.pose for photo in photos]
    is_idle = not any(_find_kind(spec) in _SEVERAL and not _has_number(spec) for spec in (*chosen, *targets))
    refuse_idle("person" if role == "src" else f"{role}_number", is_idle, "there is nobody to choose from")


def check_estimates(
    photos: Sequence[Photo],
    scheme: str | None,
    parsing: str | None = None,
    targets: Sequence[str] = (),
    with_maps: bool = True,
) -> None:
    """Refuse what would do nothing: a ``scheme`` without maps, ``parsing`` among them, a parser without a map to
    estimate, and the least confidence where no pose has one.
    """
    maps = [map_ for map_ in (*(photo.parsing for photo in photos), parsing) if map_ is not None]
    if scheme is not None and all(_find_kind(map_) == "store" for map_ in maps):
        flag = flag_of(f"{photos[0].role}_parsing")
        why = "the maps of stores have labels of their own" if maps else f"none is given; give {flag}"
        raise InputError(f"--parsing-scheme {scheme} is that of maps, and {why}")
    is_given = all(photo.parsing is not None or _find_kind(photo.source) == "store" for photo in photos)
    refuse_idle("parser", is_given or not with_maps, "no map is estimated")
    poses = [pose for pose in (*(photo.pose for photo in photos), *targets) if pose is not None]
    refuse_idle("confidence", not any(map(_has_confidence, poses)), "no file of poses with confidences is given")


def check_with_targets(
    photos: Sequence[Photo], targets: Sequence[str], frame: str | None, scheme: str | None, parsing: str | None
) -> None:
    """The same of photos and target poses, whose map is ``parsing``, and the number of frames where nothing moves."""
    check_role(photos, frame, targets)
    check_estimates(photos, scheme, parsing, targets)
    refuse_idle("frames", not any(map(_is_motion, targets)), "no target is a video, a folder or a file of frames")


def _is_motion(spec: str) -> bool:
    from pgen.data.formats.pose_sequences import is_pose_motion

    kind, path = _find_kind(spec), _find_path(spec)
    return kind in ("video", "folder") or (kind == "json" and path is not None and is_pose_motion(path))


def _has_confidence(spec: str) -> bool:
    kind, path = _find_kind(spec), _find_path(spec)
    return kind == "json" or (kind == "folder" and path is not None and any(path.glob("*.json")))


def _has_number(spec: str) -> bool:
    from pgen.data.inputs import split_number

    return split_number(spec)[1] is not None


def _find_path(spec: str) -> Path | None:
    """The file of a pose; None for bundled poses, and where there is none."""
    from pgen.data.inputs import split_number, split_spec
    from pgen.data.named_poses import find_named_pose

    name, _ = split_number(spec)
    with suppress(InputError):  # which reading it says better
        return None if find_named_pose(name) is not None else split_spec(name)[0]
    return None


def _find_kind(spec: str) -> str:
    """ "image", "video", "folder", "store", "csv", "json" or "text"; "" where it is none, or a bundled pose."""
    from pgen.data.formats.keypoints import detect_pose_format
    from pgen.data.formats.moving_pictures import is_moving

    path = _find_path(spec)
    if path is None:
        return ""
    if path.is_dir():
        return "folder"
    with suppress(InputError):
        return "video" if is_moving(path) else detect_pose_format(path)
    return ""
