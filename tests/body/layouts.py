"""Parsing maps drawn from poses, for tests of edits."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from pgen.body.joints import ARMS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import complete_legs, measure_limb
from tests.body.definitions import fill_polygon, torso_length
from tests.body.poses import people

SIZE = (128, 128)


def dressed(pose: np.ndarray, sleeve: float, lower: Label, length: float, hair: float = 0.4) -> np.ndarray:
    """Who stands in ``pose`` with sleeves and trousers or a skirt of these lengths (0-2), as uint8 (128, 128)."""
    unit, there = torso_length(pose), known_joints(pose)
    parsing = np.zeros(SIZE, np.uint8)
    chains, _ = complete_legs(pose)
    for chain, leg in zip(chains, (Label.R_LEG, Label.L_LEG), strict=True):
        field = measure_limb(chain, SIZE, unit)
        limb = (field.distance < 0.14) & (field.along < 2.2)
        parsing[limb] = np.where(field.along < length, lower, leg)[limb]
    corners = [Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.L_HIP, Joint.R_HIP]
    parsing[fill_polygon(pose[corners], SIZE)] = Label.UPPER
    head = [joint for joint in (Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR) if there[joint]]
    if head:
        neck = pose[[Joint.R_SHOULDER, Joint.L_SHOULDER]].mean(axis=0)
        field = measure_limb(np.stack([pose[head].mean(axis=0), neck]), SIZE, unit)
        parsing[(field.distance < 0.12) & (field.along < 0.9)] = Label.FACE
        around = (field.distance < 0.2) & (field.distance >= 0.12) & (field.along < hair)
        parsing[around] = Label.HAIR
    for arm, label in zip(ARMS, (Label.R_ARM, Label.L_ARM), strict=True):
        joints = [joint for joint in arm if there[joint]]
        if len(joints) >= 2:
            field = measure_limb(pose[joints], SIZE, unit)
            limb = (field.distance < 0.08) & (field.along < 2.4)
            parsing[limb] = np.where(field.along < sleeve, Label.UPPER, label)[limb]
    return parsing


@st.composite
def outfits(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A pose, some joints of it missing, and the map of someone dressed at random."""
    pose = draw(people(missing=0.1, whole=False))
    lower = draw(st.sampled_from([Label.PANTS, Label.SKIRT]))
    lengths = [draw(st.floats(0, 2)) for _ in range(2)]
    return pose, dressed(pose, lengths[0], lower, 0.2 + 0.9 * lengths[1], draw(st.floats(0.2, 1.0)))
