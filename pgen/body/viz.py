"""Pictures of poses, parts and parsing maps, and contact sheets: uint8 arrays (height, width, 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from pgen.body.crop import scale_pose
from pgen.body.joints import BONES, HEAD_JOINTS, Joint, known_joints
from pgen.body.labels import LABEL_COUNT, PALETTE

Picture = NDArray[np.uint8]
Color = tuple[int, int, int]

#: What a pose is drawn on without a picture.
DARK: Color = (22, 24, 30)
#: What a sheet is made of.
PAPER: Color = (255, 255, 255)
INK: Color = (40, 42, 48)

#: One color a bone, in the order of BONES: the person's right side warm, the left side cool, the head violet.
BONE_COLORS: tuple[Color, ...] = (
    *((214, 40, 57), (240, 78, 48), (250, 124, 38)),
    *((22, 160, 96), (38, 190, 150), (44, 206, 206)),
    *((236, 156, 30), (248, 190, 44), (252, 222, 86)),
    *((30, 128, 224), (64, 98, 238), (104, 88, 246)),
    *((190, 96, 230), (226, 84, 196), (240, 130, 200), (150, 110, 240), (180, 150, 250)),
)
#: One color a part but the whole body: the head, then the limbs, right and left in turn.
PART_COLORS: tuple[Color, ...] = (
    (200, 110, 235),
    *((236, 156, 30), (30, 128, 224), (252, 222, 86), (104, 88, 246)),
    *((240, 78, 48), (38, 190, 150), (250, 160, 100), (44, 206, 206)),
)

# A joint has the color of the bone that ends there; none ends at the neck.
_JOINT_COLORS: dict[int, Color] = {
    Joint.NECK: (170, 90, 235),
    **{end: color for (_, end), color in zip(BONES, BONE_COLORS, strict=True)},
}

# Shapes are drawn this many times larger and reduced, which smooths their edges; less where that has too many pixels.
_SMOOTH, _MOST_DRAWN = 4, 32_000_000


def draw_skeleton(ground: Picture | tuple[int, int], pose: NDArray[np.floating]) -> Picture:
    """The bones and joints of ``pose`` (18, 2) on a picture (height, width, 3), or on a dark frame of a size.

    Colors are `BONE_COLORS`. Bones whose ends are not both known are left out.
    """
    known = known_joints(pose)

    def draw(canvas: ImageDraw.ImageDraw, scale: float, unit: float) -> None:
        points = (np.where(known[:, None], pose, 0) + 0.5) * scale
        for (start, end), color in zip(BONES, BONE_COLORS, strict=True):
            if known[start] and known[end]:
                ends = [tuple(points[start]), tuple(points[end])]
                canvas.line(ends, fill=(*color, 225), width=max(1, round(unit * (1.2 if end in HEAD_JOINTS else 2))))
        for joint in (joint for joint in Joint if known[joint]):
            radius = unit * (0.9 if joint in HEAD_JOINTS else 1.4)
            (left, top), (right, bottom) = points[joint] - radius, points[joint] + radius
            fill = (*_JOINT_COLORS[joint], 255)
            canvas.ellipse((left, top, right, bottom), fill=fill, outline=(255, 255, 255, 235))

    return _draw_over(ground, draw)


def draw_parts(ground: Picture | tuple[int, int], pose: NDArray[np.floating]) -> Picture:
    """The head square and the limbs' rectangles, as in the part masks of ``pose``: outlined, filled lightly.

    ``ground`` is a picture (height, width, 3) or the size of a dark frame. Unknown parts are left out.
    """
    import torch  # skeletons and maps are drawn without

    from pgen.body.parts import MASK_EXTEND, part_corners

    picture = _create_ground(ground)
    joints = torch.from_numpy(np.asarray(pose, np.float64))[None]
    head, *limbs = part_corners(joints, picture.shape[:2], MASK_EXTEND)[0, 1:].numpy()

    def draw(canvas: ImageDraw.ImageDraw, scale: float, unit: float) -> None:
        for quad, color in zip([head - 0.5, *limbs], PART_COLORS, strict=True):
            if np.isfinite(quad).all():
                corners = [tuple(corner) for corner in (quad + 0.5) * scale]
                canvas.polygon(corners, fill=(*color, 95))
                canvas.line([*corners, *corners[:2]], fill=(*color, 255), width=max(1, round(unit * 0.7)))

    return _draw_over(picture, draw)


def shrink_picture(picture: Picture, largest: int, pose: NDArray[np.floating]) -> tuple[Picture, NDArray[np.floating]]:
    """``picture`` (H, W, 3) with a longer side of at most ``largest`` pixels, and ``pose`` (18, 2) in its pixels."""
    scale = min(1.0, largest / max(picture.shape[:2]))
    if scale == 1:
        return picture, pose
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    # Pictures are reduced by whole pixels first, as Pillow's copy of a large one would be as large.
    step = max(1, int(1 / scale / 2))
    coarse = Image.fromarray(np.ascontiguousarray(picture[::step, ::step]))
    small = np.asarray(coarse.resize((width, height), Image.Resampling.BOX))
    return small, scale_pose(pose, picture.shape, (height, width))


def colorize_parsing(parsing: NDArray[np.integer]) -> Picture:
    """A parsing map (height, width) in the palette's colors. Raises ValueError for unknown labels."""
    if parsing.size and (parsing.min() < 0 or parsing.max() >= LABEL_COUNT):
        raise ValueError(f"labels must be 0 to {LABEL_COUNT - 1}, not {parsing.min()} to {parsing.max()}")
    return PALETTE[parsing]


def draw_sheet(rows: Sequence[Sequence[tuple[str, Picture]]], cell: tuple[int, int] | None = None) -> Picture:
    """A contact sheet: rows of (caption, picture) on white paper, each picture above its caption.

    All cells have one size (height, width): ``cell``, or as large as the largest picture, but no less than 128 wide for
    the captions, which end in an ellipsis if they are too long. Raises ValueError without any picture.
    """
    pictures = [picture for row in rows for _, picture in row]
    if not pictures:
        raise ValueError("a sheet needs at least one picture")
    if cell is None:
        height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
        grow = max(1.0, 128 / width)
        cell = round(height * grow), round(width * grow)
    font_size = max(12, round(min(cell) / 14))
    font = ImageFont.load_default(font_size)
    margin, line = max(6, font_size // 2), round(font_size * 1.9)
    step_y, step_x = cell[0] + line + margin // 2, cell[1] + margin
    columns = max(len(row) for row in rows)
    size = (margin + columns * step_x, margin + len(rows) * step_y)
    paper = Image.new("RGB", size, PAPER)
    canvas = ImageDraw.Draw(paper)
    for y, row in zip(range(margin, size[1], step_y), rows, strict=False):
        for x, (caption, picture) in zip(range(margin, size[0], step_x), row, strict=False):
            fitted = ImageOps.contain(Image.fromarray(picture), cell[::-1], Image.Resampling.LANCZOS)
            paper.paste(fitted, (x + (cell[1] - fitted.width) // 2, y + (cell[0] - fitted.height) // 2))
            text = _shorten(caption, lambda text: font.getlength(text) <= cell[1])
            canvas.text((x + cell[1] / 2, y + cell[0] + line / 2), text, fill=INK, font=font, anchor="mm")
    return np.asarray(paper)


def _create_ground(ground: Picture | tuple[int, int]) -> Picture:
    return np.full((*ground, 3), DARK, dtype=np.uint8) if isinstance(ground, tuple) else ground


def _draw_over(ground: Picture | tuple[int, int], draw: Callable[[ImageDraw.ImageDraw, float, float], None]) -> Picture:
    """``draw(canvas, scale, unit)`` laid over ``ground``; ``unit`` is a fair line width on its canvas."""
    picture = Image.fromarray(_create_ground(ground))
    smooth_by = min(_SMOOTH, max(1, int((_MOST_DRAWN / (picture.width * picture.height)) ** 0.5)))
    layer = Image.new("RGBA", (picture.width * smooth_by, picture.height * smooth_by))
    draw(ImageDraw.Draw(layer, "RGBA"), smooth_by, smooth_by * max(1.0, max(picture.size) / 128))
    # Pillow reduces RGBA with colors weighted by their opacity, so no dark fringe appears.
    smooth = layer.resize(picture.size, Image.Resampling.BOX)
    return np.asarray(Image.alpha_composite(picture.convert("RGBA"), smooth).convert("RGB"))


def _shorten(text: str, fits: Callable[[str], bool]) -> str:
    """``text`` in one line, its end replaced by an ellipsis as far as needed to fit."""
    text = " ".join(text.split())
    if fits(text):
        return text
    kept = next((end for end in range(len(text) - 1, 0, -1) if fits(text[:end] + "…")), 0)
    return text[:kept].rstrip() + "…"
