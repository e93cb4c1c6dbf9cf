"""The command line that does what was asked for on the page, with the files that it needs in the current folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgen.studio.requests import Generate, Manipulate, PhotoFiles, Request, TransferTexture
    from pgen.studio.worker import ModelSettings


def write_command(request: Request, settings: ModelSettings) -> str:
    """One line for a shell; empty for requests that make no picture."""
    from pgen.studio.requests import Generate, Manipulate, TransferTexture

    if isinstance(request, Generate):
        words, photos = ["generate", *_list_generate(request)], [request.photo]
    elif isinstance(request, TransferTexture):
        words, photos = ["texture-transfer", *_list_transfer(request)], [request.clothes, request.person]
    elif isinstance(request, Manipulate):
        words, photos = ["manipulate", *_list_manipulate(request)], [request.photo]
    else:
        return ""
    return shlex.join(["pgen", *words, *_list_settings(settings, any(photo.parsing is None for photo in photos))])


def _list_generate(request: Generate) -> Iterator[str]:
    yield request.photo.image.name
    for target in request.targets:
        yield from ("--pose", Path(target).name)
    yield from _list_photo(request.photo, "src")
    if not request.retarget:
        yield "--no-retarget"
    if request.paste:
        yield "--paste"
    for name, value in request.rendering.items():
        yield from (f"--{name.replace('_', '-')}", value)
    yield from _list_crop(request.photo)
    yield from () if request.photo.number is None else ("--person", str(request.photo.number))
    for out in request.outs:
        yield from _list_out(out)
    if request.gif is not None:
        yield from ("--frames", str(request.frames)) if len(request.targets) == 1 else ()  # a motion
        yield from ("--gif", request.gif.name)


def _list_transfer(request: TransferTexture) -> Iterator[str]:
    yield from ("--clothes", request.clothes.image.name, "--person", request.person.image.name)
    yield from ("--regions", ",".join(request.regions))
    if request.shape:
        yield "--shape"
    for role, photo in (("clothes", request.clothes), ("person", request.person)):
        yield from _list_photo(photo, role)
        yield from () if photo.number is None else (f"--{role}-number", str(photo.number))
    yield from _list_crop(request.person)
    yield from _list_out(request.out)


def _list_manipulate(request: Manipulate) -> Iterator[str]:
    yield request.photo.image.name
    for name, value in request.edits.items():
        yield from ("--edit", f"{name}={value}")
    yield from () if request.parsing is None else ("--parsing", request.parsing.name)
    yield from _list_photo(request.photo, "src")
    yield from _list_crop(request.photo)
    yield from () if request.photo.number is None else ("--person", str(request.photo.number))
    yield from () if request.out is None else _list_out(request.out)


def _list_photo(photo: PhotoFiles, role: str) -> Iterator[str]:
    for kind, file in (("pose", photo.pose), ("parsing", photo.parsing)):
        yield from () if file is None else (f"--{role}-{kind}", file.name)


def _list_out(out: Path) -> Iterator[str]:
    yield from ("-o", out.name, "--sheet", f"{out.stem}_sheet.png")


def _list_crop(photo: PhotoFiles) -> Iterator[str]:
    yield from () if photo.crop else ("--no-crop",)


def _list_settings(settings: ModelSettings, is_parsing: bool) -> Iterator[str]:
    for flag, value, usual in (
        ("--weights", settings.weights, None),
        ("--device", settings.device, "auto"),
        ("--pose-annotator", settings.pose_annotator, "mediapipe"),
        ("--parser", settings.parser if is_parsing else None, "pgen"),
        ("--seed", str(settings.seed), "0"),
    ):
        yield from () if value is None or value == usual else (flag, value)
