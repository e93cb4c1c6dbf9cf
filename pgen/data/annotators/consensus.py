"""Several looks at one person, and what they agree on.

BlazePose takes some people who are seen from behind for people seen from the front, and then left for right; which ones
changes with the crop. A picture and its mirror image agree on nearly all that is right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pgen.data.annotators.landmarks import Landmarks

#: Mean distance of the limbs' landmarks, in torso lengths, up to which two looks show the same pose.
_SAME = 0.12

_LIMBS = slice(11, 29)  # shoulders to ankles

# Mean deviation of a face's colours from their median, 8-bit RGB, below which it is none: eyes, lips and shades make
# more than hair does (24 or more in 1,000 looks at synthetic people from the front). Less is asked of a photo whose own
# colours deviate by less than the second number.
_EVEN, _CONTRAST = 22.0, 40.0

# Square of the spine's length in areas of the silhouette, below which a body is not likely: it has been seen in the
# hair of somebody much larger.
_SMALLEST_TORSO = 0.3

# Share of a face that must lie within the picture to be looked at.
_SHOWN = 0.6

# What an even patch in place of the face says for a view from behind, and a head outside of the picture for one from
# the front, where all looks together say 1 for what they agree on.
_FROM_BEHIND, _HEADLESS = 1.2, 0.8


def find_consensus(first: Landmarks, second: Landmarks, image: NDArray[np.uint8]) -> bool:
    """Whether two looks at ``image``, uint8 (H, W, 3), show the same pose, and nothing speaks against it.

    That is a body that is upside down, a face without features, or a view from behind without a head to know it by.
    """
    face = _measure_unevenness(image, first)
    is_front_or_back = face >= _choose_even_limit(image) if first.faces_camera else np.isfinite(face)
    return (
        bool(is_front_or_back) and is_likely(first) and is_likely(second) and _measure_distance(first, second) < _SAME
    )


def decide(looks: Sequence[Landmarks], image: NDArray[np.uint8]) -> tuple[Landmarks, bool]:
    """The pose that most of ``looks`` (at least one) support, and whether it is doubtful.

    Whether it is seen from the front, looks and what is where the face should be decide together; if none of the likely
    looks says so, left and right of the likeliest are swapped. What supports the chosen one is averaged with it.
    """
    from_front = _count_votes_for_front(looks, image)
    swapped = [look if look.faces_camera == (from_front > 0) else look.relabel() for look in looks]
    distances = np.array([[_measure_distance(one, other) for other in swapped] for one in swapped])
    support = np.clip(1 - distances / (2 * _SAME), 0, 1).sum(1)
    support -= [0.0 if is_likely(look) else 1.0 for look in looks]
    support += [0.5 if look is own else 0.0 for look, own in zip(looks, swapped, strict=True)]
    best = int(support.argmax())
    chosen = [look for look, distance in zip(swapped, distances[best], strict=True) if distance < _SAME]
    doubtful = abs(from_front) < 0.5 or len(chosen) < len(looks) / 2 or not is_likely(swapped[best])
    return average_poses(chosen), doubtful


def _count_votes_for_front(looks: Sequence[Landmarks], image: NDArray[np.uint8]) -> float:
    """More than 0 if the person seems to be seen from the front."""
    votes = float(np.mean([1 if look.faces_camera else -1 for look in looks]))
    asked = [look for look in looks if is_likely(look)] or looks
    faces = [face for face in (_measure_unevenness(image, look) for look in asked) if np.isfinite(face)]
    if not faces:
        return votes + _HEADLESS
    return votes - (_FROM_BEHIND if np.median(faces) < _choose_even_limit(image) else 0.0)


def average_poses(looks: Sequence[Landmarks]) -> Landmarks:
    """The mean of looks at one picture."""
    if len(looks) == 1:
        return looks[0]
    fields = ("points", "world", "visibility", "silhouette")
    return Landmarks(*(np.mean([getattr(look, field) for look in looks], axis=0) for field in fields))


def _measure_distance(first: Landmarks, second: Landmarks) -> float:
    """Mean distance of the limbs' landmarks, those counting most that both call visible, in torso lengths."""
    weights = np.minimum(first.visibility, second.visibility)[_LIMBS]
    unit = max(float(np.linalg.norm(first.torso)), float(np.linalg.norm(second.torso)), 1e-6)
    gaps = np.linalg.norm(first.points - second.points, axis=1)[_LIMBS] / unit
    return float(np.average(np.minimum(gaps, 1), weights=weights + 1e-6))


def is_likely(look: Landmarks) -> bool:
    """Whether a body is not upside down, nor its torso far too small for its silhouette."""
    area = float((look.silhouette > 0.5).sum())
    return bool(look.torso[1] > 0 and float(look.torso @ look.torso) >= _SMALLEST_TORSO * area)


def _choose_even_limit(image: NDArray[np.uint8]) -> float:
    """Below what a patch of the picture is even."""
    return _EVEN * min(1.0, float(image[::4, ::4].std()) / _CONTRAST)


def _measure_unevenness(image: NDArray[np.uint8], look: Landmarks) -> float:
    """How uneven the colours are where the face should be; infinite if that is outside of the picture."""
    centre, reach = look.head
    left, top = np.floor(centre - reach).astype(int).clip(0)
    right, bottom = np.ceil(centre + reach).astype(int).clip(0) + 1
    part = image[top:bottom, left:right]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    face = part[(columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= (0.9 * reach) ** 2].astype(np.float64)
    if len(face) < max(9.0, _SHOWN * np.pi * (0.9 * reach) ** 2):
        return float("inf")
    return float(np.linalg.norm(face - np.median(face, axis=0), axis=1).mean())
