"""Options of how results are rendered (`pgen.inference.rendering.settings.Rendering`)."""

from __future__ import annotations

from typing import Annotated

from typer import Option

_HEAD = "Keep the head's direction, or follow the target's; auto keeps it for bundled poses, but backs and profiles."
_BACKGROUND = "Fill the photo's where the person was (keep leaves what they carried), or another one, or none."
_FRAME_MODE = "Move a target that leaves the photo into it, or extend the photo."
Head = Annotated[str, Option(help=_HEAD, metavar="auto|keep|follow")]
Background = Annotated[str, Option(help=_BACKGROUND, metavar="fill|keep|transparent|COLOR|FILE")]
FrameMode = Annotated[str, Option(help=_FRAME_MODE, metavar="keep|extend")]
MaxSize = Annotated[int, Option(help="Longer side of results at most, pixels.", metavar="N")]
Shadow = Annotated[bool, Option("--shadow/--no-shadow", help="A soft shadow under the feet.")]
