"""What a page sends, as requests to the worker on files of its tab."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.edits.registry import check_edits
from pgen.body.joints import JOINT_COUNT, known_joints
from pgen.data.formats.moving_pictures import is_moving
from pgen.data.formats.pose_json import write_pose_json
from pgen.data.inputs import FARTHEST, are_coordinates
from pgen.data.named_poses import load_named_poses
from pgen.errors import InputError
from pgen.studio.bodies import take, take_names, take_number
from pgen.studio.painting import ParsingMap, fit_display
from pgen.studio.requests import Generate, Manipulate, PhotoFiles, ReadPhoto, ReadTarget, Request, TransferTexture
from pgen.studio.workspace import Photo, Workspace

Answer = dict[str, Any]
Describe = Callable[[Request], str]
#: Kind of the job, the request, what is done with the worker's answer, and what the page has to know besides.
Order = tuple[str, Request, Callable[[Answer], None], Answer]

#: What may be wished of the rendering.
_RENDERING = {
    "head": "auto|keep|follow", "background": "auto|fill|transparent|#[0-9a-f]{6}", "frame_mode": "keep|extend",
}  # fmt: skip
_MOST_TARGETS, _MOST_FRAMES, _FRAMES, _MOST_PEOPLE = 24, 120, 24, 99
#: Regions of clothes, as `pgen.inference.texture_transfer.REGIONS` has them, whose import takes long.
REGIONS = ("upper", "lower", "pants", "skirt", "hair", "all")


def keep_photo(workspace: Workspace, name: str, data: bytes) -> Photo:
    """A photo that was uploaded."""
    return Photo(PhotoFiles(_keep(workspace, name or "photo.jpg", data)))


def read_photo(workspace: Workspace, id_: str) -> Order:
    """Read a photo of the tab, for its pose and map as they are given or estimated."""
    photo = workspace.photo(id_)
    files, stem = photo.files, photo.files.image.stem
    pose, parsing = workspace.reserve(f"{stem}.json"), workspace.reserve(f"{stem}_parsing.png")

    def finish(answer: Answer) -> None:
        found: dict[str, str] = answer["files"]
        workspace.publish(found.values())
        photo.size = answer["size"][1], answer["size"][0]
        photo.estimated = {kind: workspace.find(found[kind]) for kind in ("pose", "parsing") if kind in found}
        answer |= list_annotations(workspace, photo)

    request = ReadPhoto(files, workspace.folder / f".{stem}-{workspace.number('shown')}", pose, parsing)
    return "read", request, finish, {"photo": id_, "name": files.image.name}


def list_annotations(workspace: Workspace, photo: Photo) -> Answer:
    """The files of a photo's pose and map, and whether they are estimates."""
    files = workspace.freeze(photo)
    named = {kind: getattr(files, kind) for kind in ("pose", "parsing")}
    return {
        "annotations": {kind: file.name for kind, file in named.items() if file is not None},
        "is_estimated": {kind: getattr(photo.files, kind) is None for kind in named},
    }


def change_photo(workspace: Workspace, photo: Photo, given: Answer) -> bool:
    """Another pose, another person of several, all of the photo or a part; True if it has to be read again."""
    if "pose" in given:
        workspace.write_pose(photo, parse_joints(given["pose"]))
        return False
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
    photo.files = files
    return True


def keep_annotation(workspace: Workspace, photo: Photo, name: str, data: bytes) -> None:
    """A pose or map that was uploaded: JSON, CSV and text are poses, all else maps."""
    suffix = Path(name).suffix.lower()
    is_pose = suffix in (".json", ".csv", ".txt")
    stem = photo.files.image.stem
    file = _keep(workspace, f"{stem}{suffix}" if is_pose else f"{stem}_parsing{suffix}", data)
    frozen = workspace.freeze(photo)
    photo.files = replace(frozen, pose=file) if is_pose else replace(frozen, parsing=file)


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
    stem = photo.files.image.stem
    path = workspace.write_painted(photo, labels, f"{stem}-edited" if is_edit else stem)
    if is_edit:
        return {"parsing": path.name}
    photo.files = replace(workspace.freeze(photo), parsing=path)
    return list_annotations(workspace, photo)


def keep_target(workspace: Workspace, given: Mapping[str, str], data: bytes) -> Order:
    """A photo, video or file of poses that was uploaded as a target."""
    file = _keep(workspace, given.get("name", "") or "target.jpg", data)
    number, frames = given.get("number", ""), given.get("frames", "")
    count = min(_MOST_FRAMES, max(1, int(frames))) if frames.isdigit() else _FRAMES
    spec = f"{file}#{int(number)}" if number.isdigit() and len(number) < 3 else str(file)
    id_ = workspace.number("target")

    def finish(answer: Answer) -> None:
        workspace.targets[id_] = spec

    shown = {"target": id_, "name": file.name, "frames": count}
    return "target", ReadTarget(spec, count), finish, shown


def keep_drawn_target(workspace: Workspace, given: Answer) -> Answer:
    """A pose that was drawn on the page, in a frame of a width and height."""
    size = [take_number({"size": side}, "size", 16, 20_000) for side in take(given, "size", list)]
    if len(size) != 2:
        raise InputError("'size' is to be width and height")
    pose = parse_joints(given.get("pose"))
    file = write_pose_json(workspace.reserve("drawn.json"), pose, (size[1], size[0]))
    id_ = workspace.number("target")
    workspace.targets[id_] = str(file)
    return {"target": id_, "name": file.name}


def order_generate(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """The person of a photo in other poses: bundled ones by name, others by the target's id."""
    photo = _find_photo(workspace, given, "photo")
    names = take_names(given, "targets", _MOST_TARGETS)
    targets = tuple(_find_target(workspace, name, photo.number) for name in names)
    moving = [is_moving(_find_file(target)) for target in targets]
    if any(moving) and len(targets) > 1:
        raise InputError("ask for a video or animation by itself")
    outs = () if any(moving) else tuple(_name_result(workspace, photo, target) for target in targets)
    stem, rendering = photo.image.stem, _parse_rendering(given)
    is_pasted = take(given, "paste", bool, False)
    if is_pasted and rendering.get("background", "").startswith("#"):
        raise InputError("results in the whole photo keep its background; choose the photo’s, or none")
    is_extended = rendering.get("frame_mode") == "extend"  # each as far as its pose needs
    request = Generate(
        photo, targets, outs, workspace.folder / f".{stem}-{workspace.number('shown')}",
        take(given, "retarget", bool, True), is_pasted,
        take_number(given, "frames", 1, _MOST_FRAMES, _FRAMES),
        gif=workspace.reserve(f"{stem}.gif") if any(moving) or (len(targets) > 1 and not is_extended) else None,
        rendering=rendering,
    )  # fmt: skip

    def finish(answer: Answer) -> None:
        single = [
            replace(request, targets=(one,), outs=(out,), gif=None) for one, out in zip(targets, outs, strict=False)
        ]
        _finish_results(workspace, request, answer, [describe(one) for one in single])
        if request.gif is not None and answer["gif"] is not None:
            answer["command"] = workspace.commands[request.gif.name] = describe(replace(request, outs=()))

    return "generate", request, finish, {"photo": photo.image.name, "targets": [Path(t).name for t in targets]}


def order_transfer(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """A person in the clothes of another photo."""
    clothes, person = _find_photo(workspace, given, "clothes"), _find_photo(workspace, given, "person")
    regions = tuple(take_names(given, "regions", len(REGIONS)))
    if not set(regions) <= set(REGIONS):
        raise InputError(f"regions are {', '.join(REGIONS)}", option="regions")
    out = workspace.reserve(f"{clothes.image.stem}__{person.image.stem}.png")
    shape = take(given, "shape", bool, False)
    request = TransferTexture(clothes, person, regions, shape, out, workspace.folder / f".{out.stem}")
    about = {"photo": person.image.name, "clothes": clothes.image.name, "regions": regions}
    return "transfer", request, lambda answer: _finish_results(workspace, request, answer, [describe(request)]), about


def order_manipulate(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """A photo with edits of its map, or painted by a map of the tab."""
    photo = _find_photo(workspace, given, "photo")
    parsing = workspace.find(take(given, "parsing", str)) if "parsing" in given else None
    edits = check_edits(_parse_edits(given)) if parsing is None else {}
    if parsing is None and not edits:
        raise InputError("nothing is to be changed; choose an edit, or paint on the map")
    out = workspace.reserve(f"{photo.image.stem}-edited.png")
    request = Manipulate(photo, edits, workspace.folder / f".{out.stem}", parsing, out)
    finish = lambda answer: _finish_results(workspace, request, answer, [describe(request)])  # noqa: E731
    return "manipulate", request, finish, {"photo": photo.image.name, "edits": edits}


def order_preview(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """The map after edits, without a picture of it."""
    photo = _find_photo(workspace, given, "photo")
    shown = workspace.folder / f".{photo.image.stem}-{workspace.number('shown')}"
    request = Manipulate(photo, check_edits(_parse_edits(given)), shown)

    def finish(answer: Answer) -> None:
        workspace.publish(answer["files"].values())

    return "preview", request, finish, {"photo": take(given, "photo", str)}


ORDERS = {
    "generate": order_generate,
    "transfer": order_transfer,
    "manipulate": order_manipulate,
    "preview": order_preview,
}


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


def _keep(workspace: Workspace, name: str, data: bytes) -> Path:
    workspace.check_room(len(data))
    path = workspace.reserve(name)
    path.write_bytes(data)
    return path


def _find_photo(workspace: Workspace, given: Answer, key: str) -> PhotoFiles:
    return workspace.photo(take(given, key, str)).files


def _find_target(workspace: Workspace, name: str, number: int | None) -> str:
    if name in workspace.targets:
        spec = workspace.targets[name]
        return spec if number is None or "#" in spec else f"{spec}#0"
    if name not in load_named_poses():
        raise InputError(f"there is no pose {name!r}; choose another one, or add it again", option="pose")
    return name


def _find_file(target: str) -> Path:
    path = Path(target)
    return path if path.is_file() else Path(target.rpartition("#")[0] or target)


def _name_result(workspace: Workspace, photo: PhotoFiles, target: str) -> Path:
    return workspace.reserve(f"{photo.image.stem}__{_find_file(target).stem}.png")


def _parse_edits(given: Answer) -> dict[str, str | float]:
    edits = take(given, "edits", dict, {})
    if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in edits.values()):
        raise InputError("edits are names with a value each")
    return edits


def _parse_rendering(given: Answer) -> dict[str, str]:
    """What is wished of the rendering and is not as usual; a background is never a file."""
    wishes = take(given, "rendering", dict, {})
    for name, value in wishes.items():
        if name not in _RENDERING or not isinstance(value, str) or not re.fullmatch(_RENDERING[name], value):
            raise InputError(f"{value!r} is no choice for {name!r}")
    usual = {"head": "auto", "background": "auto", "frame_mode": "keep"}
    return {name: value for name, value in wishes.items() if value != usual[name]}


def _finish_results(workspace: Workspace, request: Any, answer: Answer, commands: list[str]) -> None:
    """Let the page have the pictures, each with its command."""
    workspace.keep(request.files)
    for result, command in zip(answer["results"], commands, strict=False):
        result["command"] = workspace.commands[result["picture"]] = command
    for result in answer["results"]:
        workspace.publish([panel["file"] for panel in result["panels"]])
        workspace.publish(result[kind] for kind in ("picture", "sheet") if kind in result)
