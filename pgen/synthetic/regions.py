"""Where a point of the skin or of a garment lies on the body, given on the mean shape.

Garments are cut, and patterns drawn, in these reference coordinates: a neckline or a stripe then stays where it is
whatever the person's build and pose. Heights (reference z, metres) worth knowing: crown .985, brows .89, chin .75,
base of the neck .71, top of the shoulder .66, armpit .56, bust .50, waist .36, navel .26, hip joint .14, crotch .04,
knee -.29, ankle -.74, floor -.82.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pgen.synthetic import Array
from pgen.synthetic.body import Body

#: Columns of a reference array (N, 6): mean-shape position; 1 on arms and hands, 0 elsewhere; position along the arm
#: (0 shoulder, 1 elbow, 2 wrist); position along the leg (0 hip, 1 knee, 2 ankle).
X, Y, Z, ARM, ALONG_ARM, ALONG_LEG = range(6)

UPPER_ARM_LENGTH = 0.28


def to_reference(body: Body) -> NDArray[np.float32]:
    """Reference coordinates (V, 6) of every vertex of the body."""
    place = body.mean
    mirrored = np.abs(place) * [1.0, 0, 0] + place * [0.0, 1, 1]
    arms, legs = (
        locate_along(mirrored, [body.mean_heads[body.bone(f"{bone}.L")] for bone in chain])
        for chain in (("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot"))
    )
    arm = body.weight_of("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
    return np.stack((*place.T, arm, arms, legs), axis=1).astype(np.float32)


def locate_along(points: Array, chain: list[Array]) -> NDArray[np.float64]:
    """Position of points (N, 3) along a chain of joints: 0 at the first, 1 at the second, ...; both ends are open."""
    positions, distances = [], []
    for index, (start, end) in enumerate(pairwise(chain)):
        bone = end - start
        low, high = -np.inf if index == 0 else 0.0, np.inf if index == len(chain) - 2 else 1.0
        share = np.clip((points - start) @ bone / (bone @ bone), low, high)
        distances.append(np.linalg.norm(points - start - share[:, None] * bone, axis=1))
        positions.append(index + share)
    return np.choose(np.argmin(distances, axis=0), positions)


def smoothstep(values: Array, low: float, high: float) -> Array:
    """0 below ``low``, 1 above ``high``, smooth between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def sample_waves(points: Array, seed: int, length: float, octaves: int = 2) -> NDArray[np.float32]:
    """Smooth noise of about -1 to 1 at points (N, 3): a few sines of wave length ``length`` metres and shorter."""
    rng = np.random.default_rng([seed, 77])
    directions, phases, amplitudes = [], [], []
    for octave in np.repeat(np.arange(octaves), 4):
        direction = rng.normal(size=3)
        directions.append(direction / np.linalg.norm(direction) * (2 * np.pi / length * 1.9**octave))
        phases.append(rng.uniform(0, 2 * np.pi))
        amplitudes.append(0.6**octave)
    # The sines' arguments are bent by one another, or the noise would look like a grid.
    angle = points.astype(np.float32) @ np.array(directions, dtype=np.float32).T + np.array(phases, dtype=np.float32)
    angle[:, 1:] += 0.9 * np.sin(angle[:, :-1])
    result = np.sin(angle) @ np.array(amplitudes, dtype=np.float32)
    return np.asarray(result / (1.6 * np.sqrt(np.sum(np.square(amplitudes)))), dtype=np.float32)
