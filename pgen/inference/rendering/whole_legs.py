"""Legs in one piece: H_S has seen few raised or crossed ones, leaves out parts of them, and draws others elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.labels import LABEL_COUNT, Label
from pgen.inference.rendering.bones import LEG_PARTS, Body, find_position_along
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.distances import measure_to_line
from pgen.inference.rendering.places import Places, look_up

#: How wide half a leg is at hip, knee and ankle at least, and how far from its bones it may be, in torso lengths.
_WIDTHS, _FARTHEST = (0.12, 0.085, 0.055), 0.22
#: How far beyond the ankle a foot reaches, in torso lengths.
FOOT = 0.55
#: Share of the square of a torso length that the photo has to show of legs or trousers for anything to be added.
_SHOWN = 0.01
_CLOTHES = torch.tensor((Label.PANTS, Label.SKIRT, Label.UPPER))


def join_legs(canvas: Canvas, body: Body, sources: Places, labels: Tensor) -> None:
    """Let legs reach from hip to ankle in ``labels`` (N,), and take away what is far from their bones.

    What is added is what the photo shows there: the leg, or what is worn over it. ``sources`` are those of the same
    pixels.
    """
    points, empty = sources.grid.points, labels == Label.BACKGROUND
    areas = canvas.label_tensor.flatten().bincount(minlength=LABEL_COUNT)
    has_legs = int(areas[[Label.PANTS, *LEG_PARTS]].max()) > _SHOWN * canvas.unit**2
    for label, names in LEG_PARTS.items():
        parts = [body.parts[name] for name in names if name in body.parts]
        if len(parts) < len(names):
            continue
        away = torch.stack([measure_to_line(part.line[0], part.line[1], points) for part in parts]) / body.unit
        ankle = parts[-1].line[1]
        is_foot = (find_position_along(parts[-1], points) > 0) & ((points - ankle).norm(dim=1) < FOOT * body.unit)
        at = ((labels == label) & (away.amin(0) > _FARTHEST) & ~is_foot).nonzero()[:, 0]
        behind = look_up(canvas.under, sources.find_hanging_at(at))
        labels[at] = behind.masked_fill(~torch.isin(behind, _CLOTHES), Label.BACKGROUND)
        for k, part in enumerate(parts if has_legs else []):
            way = part.line[1] - part.line[0]
            along = ((points - part.line[0]) @ way / way.square().sum().clamp_min(1e-6)).clamp(0, 1)
            width = _WIDTHS[k] + along * (_WIDTHS[k + 1] - _WIDTHS[k])
            at = ((away[k] < width) & empty).nonzero()[:, 0]
            shown = look_up(canvas.under, part.carry(points[at]))
            labels[at] = shown.masked_fill(~torch.isin(shown, _CLOTHES), label)
