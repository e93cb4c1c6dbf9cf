"""Rotations as 3x3 matrices, and the inverse kinematics of two bones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def solve_two_bones(
    start: NDArray[np.floating], target: NDArray[np.floating], pole: NDArray[np.floating], upper: float, fore: float
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Unit directions of the upper and the lower bone so that the end meets ``target``, the joint towards ``pole``."""
    line = target - start
    distance = float(np.clip(np.linalg.norm(line), abs(upper - fore) * 1.25 + 0.02, (upper + fore) * 0.996))
    line = normalize(line)
    across = normalize(pole - (pole @ line) * line)
    cosine = np.clip((upper**2 + distance**2 - fore**2) / (2 * upper * distance), -1, 1)
    first = line * cosine + across * np.sqrt(1 - cosine**2)
    return first, normalize(line * distance - first * upper)


def normalize(vector: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-12))


def build_frame(along: NDArray[np.floating], hinge: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.stack([along, hinge, np.cross(along, hinge)], axis=1)


def rotate_between(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """The least rotation that takes one direction to the other."""
    axis = np.cross(first, second)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return np.eye(3)
    return rotate_about(axis / sine, float(np.arctan2(sine, first @ second)))


def measure_angle(axis: NDArray[np.floating], rotation: NDArray[np.floating]) -> float:
    skew = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    return float(np.arctan2(skew @ axis, np.trace(rotation) - 1))


def rotate_about(axis: NDArray[np.floating], angle: float) -> NDArray[np.floating]:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rotate_x(angle: float) -> NDArray[np.floating]:
    return rotate_about(np.array([1.0, 0.0, 0.0]), angle)


def rotate_y(angle: float) -> NDArray[np.floating]:
    return rotate_about(np.array([0.0, 1.0, 0.0]), angle)


def rotate_z(angle: float) -> NDArray[np.floating]:
    return rotate_about(np.array([0.0, 0.0, 1.0]), angle)
