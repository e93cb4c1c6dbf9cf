"""Synthetic people: compact body, wardrobe, renderer."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Indices = NDArray[np.integer]
Mask = NDArray[np.bool_]
