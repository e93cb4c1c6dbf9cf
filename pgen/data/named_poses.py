"""Poses that come with the package, by name."""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from pgen.data.formats.keypoints import LoadedPose
from pgen.data.formats.pose_json import parse_openpose
from pgen.data.inputs import split_spec
from pgen.data.names import suggest_names
from pgen.errors import InputError

_FILE = "named_poses.json"


@cache
def load_named_poses() -> dict[str, LoadedPose]:
    """All of them, in the order of the file, each in a frame of its own."""
    content = json.loads((resources.files("pgen.data") / _FILE).read_text("utf-8"))
    found = {name: parse_openpose(entry, f"{_FILE}: {name}") for name, entry in content.items()}
    return {name: LoadedPose(its.in_pixels(None, name).poses[0], its.frame, name) for name, its in found.items()}


def find_named_pose(name: str | os.PathLike[str]) -> LoadedPose | None:
    """The bundled pose of that name; None if there is none, or a file that is called so."""
    text = os.fspath(name)
    pose = load_named_poses().get(text)
    if pose is None or Path(text).exists():
        return None
    return LoadedPose(np.array(pose.pose), pose.frame, pose.name)


def split_pose_spec(spec: str | os.PathLike[str]) -> tuple[Path, str | None]:
    """``spec`` of a pose in a file, as `split_spec` has it. Where there is no file, the error offers bundled poses."""
    try:
        return split_spec(spec)
    except InputError as error:
        names = load_named_poses()
        near = suggest_names(os.fspath(spec), names) or f"; the bundled poses are {', '.join(names)}"
        raise InputError(f"{error}{near}", option="pose") from None
