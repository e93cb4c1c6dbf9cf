"""How far a head is turned to the side, from which of its joints can be seen and where."""

from __future__ import annotations

import torch
from torch import Tensor

from pgen.body.joints import Joint, known_joints

#: Turns of heads with one ear in sight and both eyes, or one: three quarters, and from the side.
_THREE_QUARTERS, _PROFILE = 0.75, 1.0


def measure_head_turns(poses: Tensor) -> Tensor:
    """How far the heads of ``poses`` (B, 18, 2) are turned: (B,), −1 to 1, NaN where the joints do not show it.

    0 from the front, 1 where the person's right ear is in the middle and −1 where the left one is. With both ears in
    sight, it is where between them the nose is.
    """
    known = known_joints(poses)
    nose, right, left = (poses[:, joint] for joint in (Joint.NOSE, Joint.R_EAR, Joint.L_EAR))
    across = left - right
    between = ((nose - right) * across).sum(1) / across.square().sum(1).clamp_min(1e-6)
    both_ears = known[:, Joint.R_EAR] & known[:, Joint.L_EAR]
    both_eyes = known[:, Joint.R_EYE] & known[:, Joint.L_EYE]
    side = known[:, Joint.R_EAR].to(poses.dtype) - known[:, Joint.L_EAR].to(poses.dtype)
    aside = side * torch.where(both_eyes, _THREE_QUARTERS, _PROFILE).to(poses.dtype)
    turns = torch.where(both_ears, (2 * between - 1).clamp(-1, 1), aside)
    is_known = known[:, Joint.NOSE] & (known[:, Joint.R_EAR] | known[:, Joint.L_EAR])
    return turns.masked_fill(~is_known, torch.nan)
