"""Framings: which part of the person a picture shows, and where in the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgen.body.joints import TORSO_JOINTS
from pgen.synthetic import Array, Mask

STYLES = ("fashion", "market", "mixed")

#: Fashion photos stand in the middle 176 columns of 256, as DeepFashion's do.
_SIDE_BORDER = 40 / 256


@dataclass(frozen=True)
class Framing:
    """``view`` is "half", "full" or "lower". Margins and shift are shares of the frame; ``reach`` says how far below
    the hips a half-body picture goes, in lengths of the trunk; ``distance`` and ``height`` of the camera in metres."""

    view: str
    top: float
    bottom: float
    reach: float
    shift: float
    distance: float
    height: float
    bordered: bool


def sample_framing(rng: np.random.Generator, style: str) -> Framing:
    """A framing of style "fashion" or "market"."""
    market = style == "market"
    return Framing(
        view="full" if market else str(rng.choice(["half", "full", "lower"], p=[0.6, 0.36, 0.04])),
        top=rng.uniform(0.01, 0.07) if market else rng.uniform(0.015, 0.12),
        bottom=rng.uniform(0.01, 0.06) if market else rng.uniform(0.02, 0.08),
        reach=0.0 if market else rng.uniform(0.22, 0.95),
        shift=rng.normal(0, 0.02),
        distance=rng.uniform(5, 12) if market else rng.uniform(2.6, 5.5),
        height=rng.uniform(0.2, 1.6) if market else rng.normal(0.25, 0.2),
        bordered=not market and rng.random() < 0.75,
    )


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along +y. Pixel centers at integer coordinates."""

    scale: float  # pixels a metre at the person's distance
    x: float  # column of the axis
    y: float  # row of the axis
    distance: float
    height: float

    def project(self, points: Array) -> tuple[Array, Array]:
        """(x, y) pixels (N, 2) and depths (N,) in metres of points (N, 3)."""
        depth = points[:, 1] + self.distance
        shrink = self.scale * self.distance / depth
        x = self.x + points[:, 0] * shrink
        y = self.y + (self.height - points[:, 2]) * shrink
        return np.stack([x, y], axis=1), depth


def find_columns(size: tuple[int, int], bordered: bool) -> tuple[int, int]:
    """First and past-the-last column that the photo fills; nearly square frames have borders at both sides."""
    height, width = size
    if width < 0.85 * height or not bordered:
        return 0, width
    border = round(_SIDE_BORDER * width)
    return border, width - border


def place_camera(framing: Framing, vertices: Array, head: Mask, joints: Array, size: tuple[int, int]) -> Camera:
    """The camera that shows posed ``vertices`` (N, 3) as the framing says, in a frame of ``size``.

    ``head`` (N,) marks the head and its hair, ``joints`` (18, 3) are posed joints. Whole figures always fit; half
    bodies keep shoulders and hips inside the frame.
    """
    height, width = size
    unit = Camera(1.0, 0.0, 0.0, framing.distance, framing.height)
    spots, _ = unit.project(vertices)
    trunk, _ = unit.project(joints[list(TORSO_JOINTS)])
    low, high = spots.min(axis=0), spots.max(axis=0)
    left, right = find_columns(size, bordered=True)
    if framing.view == "full":
        wide = high[0] - low[0]
        rows = height * (1 - framing.top - framing.bottom)
        scale = min(rows / (high[1] - low[1]), 0.97 * (right - left) / wide)
        # What is too wide for the height leaves room above.
        y = height * (1 - framing.bottom) - scale * high[1]
        middle = (low[0] + high[0]) / 2
    else:
        length = trunk[2:, 1].mean() - trunk[:2, 1].mean()
        if framing.view == "lower":
            top, bottom, top_row = trunk[:2, 1].mean() - 0.25 * length, high[1], 0.0
        else:
            top, bottom = spots[head, 1].min(), trunk[2:, 1].max() + framing.reach * length
            top_row = framing.top * height
        wide = np.ptp(trunk[:, 0]) + 0.2
        scale = min((height - top_row) / (bottom - top), 0.97 * (right - left) / wide)
        y = top_row - scale * top
        middle = trunk[:, 0].mean()
    slack = max(0.0, (right - left - scale * wide) / 2 - (framing.view == "full"))
    shift = float(np.clip(framing.shift * width, -slack, slack))
    x = (left + right - 1) / 2 + shift - scale * middle
    return Camera(float(scale), float(x), float(y), framing.distance, framing.height)
