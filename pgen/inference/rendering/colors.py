"""Colors as the eye tells them apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.inference.rendering.background_detail import Picture


def to_lab(image: Picture) -> NDArray[np.float64]:
    """Colors (H, W, 3) in CIE Lab, lightness by half: folds differ in it."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(image) * (0.5, 1.0, 1.0))
