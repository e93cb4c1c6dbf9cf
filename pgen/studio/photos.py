"""The photos of a tab: opened, read, corrected, closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.data.inputs import FARTHEST, are_coordinates
from pgen.errors import InputError
from pgen.studio.bodies import take, take_number
from pgen.studio.painting import ParsingMap, fit_display
from pgen.studio.requests import Answer, Order, PhotoFiles, ReadPhoto
from pgen.studio.workspace import Photo, Workspace

_MOST_PEOPLE = 99


def open_photo(workspace: Workspace, name: str, data: bytes) -> Order:
    """A photo that was uploaded; it is gone again if it cannot be read."""
    name = name or "photo.jpg"
    file = workspace.write(name, data)
    return _open(workspace, Photo(PhotoFiles(file), {file}), name)


def open_example(workspace: Workspace, example: PhotoFiles) -> Order:
    """A rendered person."""
    return _open(workspace, workspace.copy_example(example), example.image.name)


def _open(workspace: Workspace, photo: Photo, name: str) -> Order:
    id_ = workspace.add_photo(photo)

    def give_up(error: str) -> str:
        workspace.close_photo(id_)
        return error.replace(photo.files.image.name, Path(name).name)

    return replace(read_photo(workspace, id_, photo.files), give_up=give_up)


def read_photo(workspace: Workspace, id_: str, files: PhotoFiles) -> Order:
    """Read a photo of the tab, for its pose and map as they are given or estimated. They are its ``files`` then."""
    photo, stem = workspace.photo(id_), files.image.stem
    pose, parsing = workspace.reserve(f"{stem}.json"), workspace.reserve(f"{stem}.png", "_parsing")

    def finish(answer: Answer) -> None:
        found: dict[str, str] = answer["files"]
        workspace.publish(found.values())
        photo.files, photo.size = files, (answer["size"][1], answer["size"][0])
        photo.estimated = {kind: workspace.find(found[kind]) for kind in ("pose", "parsing") if kind in found}
        photo.written.update(workspace.find(name) for name in found.values())
        if id_ not in workspace.photos:  # it was closed meanwhile
            workspace.discard(photo.written)
        answer |= {"number": files.number, "crop": files.crop} | list_annotations(workspace, photo)

    request = ReadPhoto(files, workspace.folder / f".{stem}-{workspace.number('shown')}", pose, parsing)
    return Order("read", request, finish, {"photo": id_, "name": files.image.name})


def list_annotations(workspace: Workspace, photo: Photo) -> Answer:
    """The files of a photo's pose and map, and whether they are estimates."""
    files = workspace.freeze(photo)
    named = {kind: getattr(files, kind) for kind in ("pose", "parsing")}
    return {
        "annotations": {kind: file.name for kind, file in named.items() if file is not None},
        "is_estimated": {kind: getattr(photo.files, kind) is None for kind in named},
    }


def change_photo(workspace: Workspace, id_: str, given: Answer) -> Order | None:
    """Another pose, another person of several, all of the photo or a part. None if it need not be read again."""
    photo = workspace.photo(id_)
    if "pose" in given:
        workspace.write_pose(photo, parse_joints(given["pose"]))
        return None
    files = photo.files
    if "number" in given:
        number = None if given["number"] is None else take_number(given, "number", 0, _MOST_PEOPLE)
        files = replace(files, number=number, pose=None, parsing=None)
    if "crop" in given:
        files = replace(files, crop=take(given, "crop", bool))
    for kind in take(given, "estimate", list, []):  # a pose with a map that stays is a file, as is the other way round
        if kind not in ("pose", "parsing"):
            raise InputError("pose and parsing are what can be estimated")
        files = replace(files, pose=None) if kind == "pose" else replace(files, parsing=None)
    return read_photo(workspace, id_, files)


def open_annotation(workspace: Workspace, id_: str, name: str, data: bytes) -> Order:
    """A pose or map that was uploaded: JSON, CSV and text are poses, all else maps; a wrong one changes nothing."""
    photo, suffix = workspace.photo(id_), Path(name).suffix.lower()
    is_pose = suffix in (".json", ".csv", ".txt")
    file = workspace.write(f"{photo.files.image.stem}{suffix}", data, "" if is_pose else "_parsing")
    frozen = workspace.freeze(photo)

    def give_up(error: str) -> str:
        workspace.discard([file])
        return error.replace(file.name, Path(name).name or file.name)

    photo.written.add(file)
    files = replace(frozen, pose=file) if is_pose else replace(frozen, parsing=file)
    return replace(read_photo(workspace, id_, files), give_up=give_up)


def parse_labels(photo: Photo, data: bytes) -> ParsingMap:
    """A map as the page paints it: a byte a pixel, at the size at which the photo is shown."""
    if photo.size is None:
        raise InputError("this photo has not been read yet; wait for its map", option="parsing")
    height, width = fit_display(photo.size)
    if len(data) != height * width:
        raise InputError("what was painted does not belong to this photo; open the photo again", option="parsing")
    return np.frombuffer(data, np.uint8).reshape(height, width)


def keep_labels(workspace: Workspace, photo: Photo, labels: ParsingMap, is_edit: bool) -> Answer:
    """The photo's own map, corrected, or another one, to paint the photo by."""
    path = workspace.write_painted(photo, labels, "-edited_parsing" if is_edit else "_parsing")
    if is_edit:
        return {"parsing": path.name}
    photo.files = replace(workspace.freeze(photo), parsing=path)
    return list_annotations(workspace, photo)


def parse_joints(given: object) -> NDArray[np.float32]:
    """A pose (18, 2) of a list of [x, y] or null. Raises `InputError`."""
    if not isinstance(given, list) or len(given) != JOINT_COUNT:
        raise InputError(f"a pose is a list of {JOINT_COUNT} joints, [x, y] or null", option="pose")
    pose = np.full((JOINT_COUNT, 2), np.nan, np.float32)
    for index, joint in enumerate(given):
        if joint is None:
            continue
        if not isinstance(joint, list) or len(joint) != 2 or not are_coordinates(joint):
            raise InputError(f"a joint is [x, y], each within {FARTHEST:.0f} pixels, or null", option="pose")
        pose[index] = joint
    if known_joints(pose).sum() < 2:
        raise InputError("a pose has two joints at least; add some", option="pose")
    return pose


def list_joints(pose: NDArray[np.floating]) -> list[list[float] | None]:
    """The joints of ``pose`` (18, 2) as lists of x and y, to thousandths of a pixel; None where one is missing."""
    known = known_joints(pose)
    pairs = zip(pose.tolist(), known, strict=True)
    return [[round(x, 3), round(y, 3)] if there else None for (x, y), there in pairs]
