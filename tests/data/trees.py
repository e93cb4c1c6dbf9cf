"""Miniature trees of the field's data sets, made of synthetic people under the exact names and formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from pgen.body.joints import TORSO_JOINTS, known_joints
from pgen.body.labels import LABELS
from pgen.data.example import Example
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_coco import COCO_JOINTS
from pgen.data.readers.synthetic import synthetic_example

SIDE = 40  # white columns at either side of DeepFashion's 176
TRAINED, TESTED, VIEWS = 5, 3, 2  # people, and photos of each
_CATEGORY = ("WOMEN/Tees_Tanks", "MEN/Denim", "WOMEN/Blouses_Shirts")
_VIEW = ("1_front", "7_additional")


@dataclass(frozen=True)
class Shot:
    """A photo of a data set and what is true of it."""

    person: int
    view: int
    example: Example  # in the frame between the white sides, joints at whole pixels
    tested: bool

    @property
    def nested(self) -> str:
        """As DeepFashion has it on disk."""
        category = _CATEGORY[self.person % len(_CATEGORY)]
        return f"{category}/id_{self.person + 7838:08}/{self.person % 4 + 1:02}_{_VIEW[self.view]}.jpg"

    @property
    def flat(self) -> str:
        """As lists of DeepFashion write it."""
        folder, view = self.nested.rsplit("/", 1)
        return "fashion" + folder.replace("/", "").replace("id_", "id") + view.replace("_", "", 1)

    @property
    def market(self) -> str:
        return f"{self.person + 2:04}_c{self.view + 1}s1_{self.person * 75 + 451:06}_03.jpg"


@cache
def shots(size: tuple[int, int] = (256, 176), style: str = "mixed") -> tuple[Shot, ...]:
    """All photos, drawn at half the size; those of the first people are for training."""
    found: list[Shot] = []
    number = 0
    while len(found) < (TRAINED + TESTED) * VIEWS:
        person = len(found) // VIEWS
        views = [_whole(synthetic_example(11, number, view, (size[0] // 2, size[1] // 2), style)) for view in range(6)]
        usable = [
            one
            for one in views
            if known_joints(one.pose)[list(TORSO_JOINTS)].all() and known_joints(one.pose).sum() > 8
        ]
        number += 1
        if len(usable) >= VIEWS:
            found += [Shot(person, view, usable[view], person >= TRAINED) for view in range(VIEWS)]
    return tuple(found)


def _whole(example: Example) -> Example:
    """Twice the size, joints at whole pixels within the photo."""
    image, parsing = (np.repeat(np.repeat(one, 2, 0), 2, 1) for one in (example.image, example.parsing))
    pose = np.rint(example.pose * 2 + 0.5)
    outside = ((pose < 0) | (pose >= parsing.shape[::-1])).any(axis=1)
    pose[outside] = np.nan
    return replace(example, image=image, parsing=parsing, pose=pose.astype(np.float32))


def padded(example: Example) -> Example:
    """With DeepFashion's white sides."""
    image = np.pad(example.image, ((0, 0), (SIDE, SIDE), (0, 0)), constant_values=255)
    parsing = np.pad(example.parsing, ((0, 0), (SIDE, SIDE)))
    return replace(example, image=image, parsing=parsing, pose=example.pose + np.array((SIDE, 0), np.float32))


def high_resolution(image: np.ndarray) -> np.ndarray:
    """A padded 256x256 photo as img_highres has it: 1101 high, the 750 columns in the middle."""
    large = Image.fromarray(image).resize((1101, 1101), Image.Resampling.BICUBIC)
    return np.asarray(large.crop((175, 0, 925, 1101)))


def write_photo(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, quality=95)


def write_map(path: Path, parsing: np.ndarray, dtype: type = np.int64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, parsing.astype(dtype))
    else:
        Image.fromarray(parsing.astype(np.uint8)).save(path)


def write_csv(path: Path, poses: Mapping[str, np.ndarray], separator: str = ": ") -> None:
    """Keypoint CSV: y before x, -1 for missing, whole numbers."""
    rows = ["name:keypoints_y:keypoints_x"]
    for name, pose in poses.items():
        filled = np.where(np.isfinite(pose), pose, -1).astype(int)
        rows.append(separator.join((name, json.dumps(filled[:, 1].tolist()), json.dumps(filled[:, 0].tolist()))))
    path.write_text("\n".join(rows) + "\n")


def write_openpose(
    path: Path,
    people: Sequence[np.ndarray],
    key: str = "pose_keypoints_2d",
    body_25: bool = False,
    divide_by: tuple[int, int] | None = None,
    canvas: tuple[int, int] | None = None,
) -> None:
    """OpenPose's JSON; ``divide_by`` (height, width) for coordinates within 0 and 1."""
    content: dict = {"version": 1.2, "people": []}
    for pose in people:
        there = known_joints(pose)
        scaled = pose / np.array(divide_by[::-1]) if divide_by else pose
        rows = [[*map(float, joint), 0.9] if its else [0, 0, 0] for joint, its in zip(scaled, there, strict=True)]
        if body_25:
            rows = [*rows[:8], [5, 5, 0.5], *rows[8:], *[[7, 7, 0.5]] * 6]
        content["people"].append({key: [number for row in rows for number in row]})
    if canvas:
        content |= {"canvas_height": canvas[0], "canvas_width": canvas[1]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def coco_numbers(pose: np.ndarray) -> list[float]:
    """COCO's 51 numbers; the neck is lost."""
    return [
        number for x, y in pose[list(COCO_JOINTS)] for number in ([0, 0, 0] if np.isnan(x) else [float(x), float(y), 2])
    ]


def write_coco(path: Path, poses: Mapping[str, np.ndarray], size: tuple[int, int]) -> None:
    images = [{"id": i, "file_name": name, "height": size[0], "width": size[1]} for i, name in enumerate(poses)]
    annotations = [{"id": i, "image_id": i, "keypoints": coco_numbers(pose)} for i, pose in enumerate(poses.values())]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": []}))


def write_text(path: Path, pose: np.ndarray) -> None:
    """PIDM's 18 rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{x:g} {y:g}\n" for x, y in np.where(np.isfinite(pose), pose, -1).tolist()))


def write_pairs(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    path.write_text("from,to\n" + "".join(f"{source},{target}\n" for source, target in pairs))


def pairs_of(name: Callable[[Shot], str], every: Sequence[Shot]) -> list[tuple[str, str]]:
    """Both ways between the two photos of each person for testing."""
    tested = [shot for shot in every if shot.tested]
    couples = list(zip(tested[::2], tested[1::2], strict=True))
    return [(name(a), name(b)) for one, other in couples for a, b in ((one, other), (other, one))]


def in_scheme(parsing: np.ndarray, name: str) -> np.ndarray:
    """A map of the ten labels with ids of another scheme, garments and limbs as plainly as it has them."""
    ids = np.zeros(len(LABELS), int)
    for label, own in enumerate(LABELS):
        becoming = load_scheme(name).ids_becoming(own) or load_scheme(name).ids_becoming(own[2:])
        ids[label] = becoming[-1] if name != "atr18" or own not in ("l_leg", "r_leg", "background") else becoming[0]
    ids[0] = 0
    return ids[parsing]
