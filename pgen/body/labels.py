"""The ten labels of a parsing map. A map is a uint8 array (H, W) of label ids."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Label(IntEnum):
    """Label ids; left and right are the person's own. Arms and legs are bare skin (and shoes)."""

    BACKGROUND = 0
    FACE = 1
    HAIR = 2
    UPPER = 3
    PANTS = 4
    SKIRT = 5
    L_ARM = 6
    R_ARM = 7
    L_LEG = 8
    R_LEG = 9


LABEL_COUNT = len(Label)
LABELS: tuple[str, ...] = tuple(label.name.lower() for label in Label)

#: Labels of clothes.
CLOTH_LABELS: tuple[Label, ...] = (Label.UPPER, Label.PANTS, Label.SKIRT)

#: Labels that show skin, whose mean color may stand in for one another.
SKIN_LABELS: tuple[Label, ...] = (Label.FACE, Label.L_ARM, Label.R_ARM, Label.L_LEG, Label.R_LEG)

#: ``np.asarray(FLIP_LABELS)[parsing]`` swaps left and right limbs (mirror the columns as well).
FLIP_LABELS: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 7, 6, 9, 8)

#: One RGB color a label, used wherever a map is drawn or written as a palette PNG.
PALETTE = np.array(
    [
        (0, 0, 0), (255, 200, 150), (120, 60, 20), (220, 40, 40), (40, 60, 200),
        (200, 60, 200), (60, 200, 60), (20, 120, 20), (250, 220, 40), (160, 140, 20),
    ],
    dtype=np.uint8,
)  # fmt: skip
