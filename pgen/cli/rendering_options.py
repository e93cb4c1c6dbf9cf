"""Options of how results are rendered (`pgen.inference.rendering.settings.Rendering`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from pgen.cli.given_options import refuse_idle
from pgen.cli.terminal import warn
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.inference.person import Person
    from pgen.inference.rendering.settings import Wishes

_HEAD = "Keep the head's direction, or follow the target's; auto keeps it for bundled poses, but backs and profiles."
_BACKGROUND = (
    "Fill the photo's where the person was (keep leaves what they carried), or another one, or none; auto fills it, "
    "but of cut-out people."
)
_FRAME_MODE = "Move a target that leaves the photo into it, or extend the photo."
Head = Annotated[str, Option(help=_HEAD, metavar="auto|keep|follow")]
Background = Annotated[str, Option(help=_BACKGROUND, metavar="auto|fill|keep|transparent|COLOR|FILE")]
FrameMode = Annotated[str, Option(help=_FRAME_MODE, metavar="keep|extend")]
MaxSize = Annotated[int, Option(help="Longer side of results at most, pixels.", metavar="N")]
Shadow = Annotated[bool, Option("--shadow/--no-shadow", help="A soft shadow under the feet.")]

_OPAQUE = (".jpg", ".jpeg")


def check_rendering(out: Path | None, gif: Path | None, paste: bool, has_map: bool, **wishes: Any) -> Wishes:
    """``wishes``, if `Rendering` takes them, ``out`` holds them, and they act on results in the whole photo (paste)."""
    from pgen.inference.rendering.backdrop import CHOICES, read_backdrop
    from pgen.inference.rendering.settings import check_wishes

    background = wishes["background"]
    if background == "transparent" and out is not None and out.suffix.lower() in _OPAQUE:
        raise InputError(f"{out}: a JPEG cannot be transparent; name it {out.stem}.png or {out.stem}.webp")
    if paste and background not in CHOICES:
        raise InputError(
            f"--paste puts results into the photo, whose background stays; leave --background {background} out"
        )
    refuse_idle("paste", out is None and gif is None, "it is about --out and --gif")
    refuse_idle("frame_mode", wishes["frame_mode"] == "extend" and has_map, "--parsing says how large the result is")
    refuse_idle("shadow", wishes["shadow"] and background == "transparent", "there is no ground to fall on")
    return check_wishes(**wishes | {"background": read_backdrop(background)})


def fit_into_file(person: Person, out: Path | None) -> Person:
    """``person`` without transparency, which is told, if results go into a JPEG."""
    if person.rgba is None or out is None or out.suffix.lower() not in _OPAQUE:
        return person
    warn(f"{person.name}: a JPEG has no transparency, so it is laid over white; name {out.stem}.png to keep it")
    return replace(person, rgba=None)
