"""Targets and results that a page asks for, as requests to the worker on files of its tab."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgen.body.edits.registry import check_edits
from pgen.data.formats.moving_pictures import is_moving
from pgen.data.formats.pose_json import write_pose_json
from pgen.data.named_poses import load_named_poses
from pgen.errors import InputError
from pgen.studio.bodies import take, take_names, take_number
from pgen.studio.photos import parse_joints
from pgen.studio.requests import (
    Answer,
    Generate,
    Manipulate,
    Order,
    PhotoFiles,
    ReadTarget,
    Request,
    TransferTexture,
    find_target_file,
    is_bundled,
)
from pgen.studio.workspace import Workspace

Describe = Callable[[Request], str]

#: What may be wished of the rendering.
_RENDERING = {
    "head": "auto|keep|follow", "background": "auto|fill|transparent|#[0-9a-f]{6}", "frame_mode": "keep|extend",
}  # fmt: skip
_MOST_TARGETS, _MOST_FRAMES, _FRAMES = 24, 120, 24
#: Regions of clothes, as `pgen.inference.texture_transfer.REGIONS` has them, whose import takes long.
REGIONS = ("upper", "lower", "pants", "skirt", "hair", "all")


def keep_target(workspace: Workspace, given: Mapping[str, str], data: bytes) -> Order:
    """A photo, video or file of poses that was uploaded as a target."""
    name = given.get("name", "") or "target.jpg"
    file = workspace.write(name, data)
    number, frames = given.get("number", ""), given.get("frames", "")
    count = min(_MOST_FRAMES, max(1, int(frames))) if frames.isdecimal() and len(frames) < 9 else _FRAMES
    spec = f"{file}#{int(number)}" if number.isdecimal() and len(number) < 3 else str(file)
    id_ = workspace.number("target")

    def finish(answer: Answer) -> None:
        workspace.targets[id_] = spec

    def give_up(error: str) -> str:
        workspace.discard([file])
        return error.replace(file.name, Path(name).name)

    shown = {"target": id_, "name": file.name, "frames": count}
    return Order("target", ReadTarget(spec, count), finish, shown, give_up)


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
    moving = [not is_bundled(target) and is_moving(find_target_file(target)) for target in targets]
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
        if request.gif is not None and workspace.was_removed(answer["gif"]):
            answer["gif"] = None
        if request.gif is not None and answer["gif"] is not None:
            answer["command"] = workspace.commands[request.gif.name] = describe(replace(request, outs=()))

    about = {"photo": photo.image.name, "targets": [Path(target).name for target in targets]}
    return Order("generate", request, finish, about)


def order_transfer(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """A person in the clothes of another photo."""
    clothes, person = _find_photo(workspace, given, "clothes"), _find_photo(workspace, given, "person")
    regions = tuple(take_names(given, "regions", len(REGIONS)))
    if not set(regions) <= set(REGIONS):
        raise InputError(f"regions are {', '.join(REGIONS)}", option="regions")
    out = workspace.reserve(f"{clothes.image.stem}.png", f"__{person.image.stem}")
    shape = take(given, "shape", bool, False)
    request = TransferTexture(clothes, person, regions, shape, out, workspace.folder / f".{out.stem}")
    about = {"photo": person.image.name, "clothes": clothes.image.name, "regions": regions}
    finish = lambda answer: _finish_results(workspace, request, answer, [describe(request)])  # noqa: E731
    return Order("transfer", request, finish, about)


def order_manipulate(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """A photo with edits of its map, or painted by a map of the tab."""
    photo = _find_photo(workspace, given, "photo")
    parsing = workspace.find(take(given, "parsing", str)) if "parsing" in given else None
    edits = check_edits(_parse_edits(given)) if parsing is None else {}
    if parsing is None and not edits:
        raise InputError("nothing is to be changed; choose an edit, or paint on the map")
    out = workspace.reserve(f"{photo.image.stem}.png", "-edited")
    request = Manipulate(photo, edits, workspace.folder / f".{out.stem}", parsing, out)
    finish = lambda answer: _finish_results(workspace, request, answer, [describe(request)])  # noqa: E731
    return Order("manipulate", request, finish, {"photo": photo.image.name, "edits": edits})


def order_preview(workspace: Workspace, given: Answer, describe: Describe) -> Order:
    """The map after edits, without a picture of it."""
    photo = _find_photo(workspace, given, "photo")
    shown = workspace.folder / f".{photo.image.stem}-{workspace.number('shown')}"
    request = Manipulate(photo, check_edits(_parse_edits(given)), shown)

    def finish(answer: Answer) -> None:
        workspace.publish(answer["files"].values())

    return Order("preview", request, finish, {"photo": take(given, "photo", str)})


ORDERS = {
    "generate": order_generate,
    "transfer": order_transfer,
    "manipulate": order_manipulate,
    "preview": order_preview,
}


def _find_photo(workspace: Workspace, given: Answer, key: str) -> PhotoFiles:
    return workspace.photo(take(given, key, str)).files


def _find_target(workspace: Workspace, name: str, number: int | None) -> str:
    if name in workspace.targets:
        spec = workspace.targets[name]
        return spec if number is None or "#" in spec else f"{spec}#0"
    if name not in load_named_poses():
        raise InputError(f"there is no pose {name!r}; choose another one, or add it again", option="pose")
    return name


def _name_result(workspace: Workspace, photo: PhotoFiles, target: str) -> Path:
    return workspace.reserve(f"{photo.image.stem}.png", f"__{find_target_file(target).stem}")


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
        if not workspace.was_removed(result["picture"]):
            result["command"] = workspace.commands[result["picture"]] = command
    answer["results"] = [result for result in answer["results"] if not workspace.was_removed(result.get("picture"))]
    for result in answer["results"]:
        workspace.publish([panel["file"] for panel in result["panels"]])
        workspace.publish(result[kind] for kind in ("picture", "sheet") if kind in result)
