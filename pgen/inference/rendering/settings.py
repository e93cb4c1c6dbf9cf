"""How results are rendered, as users say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

from pgen.errors import InputError

#: Whether the head keeps the direction that it has in the photo, or follows the target's.
Head = Literal["auto", "keep", "follow"]
#: What happens to a target that leaves the photo: it is moved into it, or a little smaller, or the photo is extended.
FrameMode = Literal["keep", "extend"]
#: Whether results have the photo's own resolution, or are the networks' picture, enlarged to the photo's size.
Resolution = Literal["photo", "network"]

#: Longer side of results at most, pixels, if nothing is said.
MAX_SIZE = 2048


@dataclass(frozen=True)
class Rendering:
    """How results are rendered.

    Args:
        head: "keep": the head goes rigidly with the neck and looks where it does in the photo; "follow": it turns as
            the target's; "auto": it is kept for bundled poses, but from behind and in profile, and follows others.
        background: what is behind: "fill": the photo's, the old figure and all that it carries filled in; "keep": the
            same but for what is carried, which stays; "transparent" (the result has an alpha channel); a color
            ("white", "#a0b0c0"), or a picture: path, PIL image or array; "auto": "fill", but of a person who is cut
            out "transparent".
        frame_mode: what happens to a target that leaves the photo: it is moved into it, if need be a little smaller
            ("keep"), or the photo is extended ("extend").
        max_size: longer side of results at most, pixels; smaller photos are never enlarged.
        shadow: paint a soft shadow where feet touch the ground.
        resolution: "network": the networks' picture enlarged, as published protocols score it, and nothing of the rest.

    Raises:
        InputError: an unknown choice.
    """

    head: Head = "auto"
    background: Any = "auto"
    frame_mode: FrameMode = "keep"
    max_size: int = MAX_SIZE
    shadow: bool = True
    resolution: Resolution = "photo"

    def __post_init__(self) -> None:
        for name, choices in (("head", Head), ("frame_mode", FrameMode), ("resolution", Resolution)):
            value = getattr(self, name)
            if value not in get_args(choices):
                listed = ", ".join(map(repr, get_args(choices)))
                raise InputError(f"{name.replace('_', ' ')} {value!r} is unknown; choose one of {listed}", option=name)
        if isinstance(self.max_size, bool) or not isinstance(self.max_size, int) or self.max_size < 64:
            raise InputError(f"a longer side of {self.max_size!r} pixels is none; give 64 or more", option="max_size")


class Wishes(TypedDict, total=False):
    """What may be said of `Rendering`."""

    head: Head
    background: Any
    frame_mode: FrameMode
    max_size: int
    shadow: bool
    resolution: Resolution


def check_wishes(**wishes: Any) -> Wishes:
    """``wishes``, if `Rendering` takes them. Raises `InputError` as it does."""
    make_rendering(**wishes)
    return cast(Wishes, wishes)


def make_rendering(**wishes: Any) -> Rendering:
    """What ``wishes`` make. Raises `InputError` as `Rendering` does, and `TypeError` for others than there are."""
    known = list(Wishes.__annotations__)
    for name in wishes.keys() - set(known):
        raise TypeError(f"there is no argument {name!r}; choose one of {', '.join(known)}")
    return Rendering(**wishes)
