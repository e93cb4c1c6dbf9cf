"""Target poses as the user names them, of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.estimate import log_notes
from pgen.cli.terminal import progress

if TYPE_CHECKING:
    from pgen.data.annotators.choose import Annotators
    from pgen.data.formats.keypoints import LoadedPose

# How long a target that is no frame of a motion is shown in an animation.
_STILL_SECONDS = 0.8


def read_targets(specs: Sequence[str], annotators: Annotators, most: int) -> tuple[list[LoadedPose], list[float], bool]:
    """Target poses, how long each is shown in an animation (in seconds), and whether they are one motion.

    Of a video, GIF or folder of frames, ``most`` frames at the most. Raises `InputError` if one cannot be read.
    """
    from pgen.data.formats.moving_pictures import is_moving
    from pgen.data.inputs import split_spec
    from pgen.data.named_poses import find_named_pose
    from pgen.inference.inputs import read_target
    from pgen.inference.video import read_pose_sequence

    targets: list[LoadedPose] = []
    seconds: list[float] = []
    motions = 0
    for spec in specs:
        path, entry = (Path(spec), None) if find_named_pose(spec) is not None else split_spec(spec)
        if entry is None and is_moving(path):
            with progress(f"poses of {path.name}", most) as advance:
                motion = read_pose_sequence(path, annotators, most, advance)
            targets += motion.poses
            seconds += motion.seconds
            motions += 1
            log_notes(motion.notes)
        else:
            targets.append(read_target(spec, annotators))
            seconds.append(_STILL_SECONDS)
            log_notes(targets[-1].notes)
    return targets, seconds, motions == 1 and len(specs) == 1
