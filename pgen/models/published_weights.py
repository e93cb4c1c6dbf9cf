"""Names of the authors' published appearance generator → names of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from pgen.errors import InputError

#: Patterns of the authors' parameter names and what each becomes; ``{n}`` is a block's index less its first.
_RULES: tuple[tuple[str, str, int], ...] = (
    (r"model_global\.encoder_app\.net\.0\.(weight|bias)", "coarse.source_encoder.stem.{0}", 0),
    (r"model_global\.encoder_pose\.net\.0\.(weight|bias)", "coarse.target_encoder.stem.{0}", 0),
    (
        r"model_global\.encoder_app\.net\.(\d+)\.net\.1\.weight",
        "coarse.source_encoder.blocks.{n}.conv.weight",
        1,
    ),
    (
        r"model_global\.encoder_app\.net\.(\d+)\.net\.2\.(weight|bias)",
        "coarse.source_encoder.blocks.{n}.norm.{1}",
        1,
    ),
    (
        r"model_global\.encoder_pose\.net\.(\d+)\.net\.1\.weight",
        "coarse.target_encoder.blocks.{n}.conv.weight",
        1,
    ),
    (
        r"model_global\.encoder_pose\.net\.(\d+)\.net\.2\.(weight|bias)",
        "coarse.target_encoder.blocks.{n}.norm.{1}",
        1,
    ),
    (r"model_global\.decoder\.net\.(\d+)\.net\.1\.weight", "coarse.decoder.blocks.{n}.conv.weight", 0),
    (r"model_global\.decoder\.net\.(\d+)\.net\.3\.(weight|bias)", "coarse.decoder.blocks.{n}.norm.{1}", 0),
    (r"model_global\.decoder\.net\.6\.(weight|bias)", "coarse.to_image.{0}", 0),
    (r"model_local_encoder_app\.net\.0\.(weight|bias)", "source_encoder.stem.{0}", 0),
    (r"model_local_encoder_pose\.net\.0\.(weight|bias)", "target_encoder.stem.{0}", 0),
    (r"model_local_encoder_app\.net\.1\.net\.1\.weight", "source_encoder.blocks.0.conv.weight", 0),
    (r"model_local_encoder_app\.net\.1\.net\.2\.(weight|bias)", "source_encoder.blocks.0.norm.{0}", 0),
    (r"model_local_encoder_pose\.net\.1\.net\.1\.weight", "target_encoder.blocks.0.conv.weight", 0),
    (r"model_local_encoder_pose\.net\.1\.net\.2\.(weight|bias)", "target_encoder.blocks.0.norm.{0}", 0),
    (r"model_local_decoder\.net\.0\.net\.1\.weight", "block.conv.weight", 0),
    (r"model_local_decoder\.net\.0\.net\.3\.(weight|bias)", "block.norm.{0}", 0),
    (r"model_local_decoder\.net\.2\.(weight|bias)", "to_image.{0}", 0),
)


def rename_published(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict of :class:`~pgen.models.appearance.TwoLevelAppearanceGenerator` from the authors' names.

    A ``module.`` prefix, as left by data-parallel training, is dropped.

    Raises:
        InputError: a name is not one of the authors' generator.
    """
    result = {}
    for name, value in published.items():
        plain = name.removeprefix("module.")
        for pattern, template, first in _RULES:
            match = re.fullmatch(pattern, plain)
            if match:
                groups = match.groups()
                index = int(groups[0]) - first if "{n}" in template else 0
                result[template.format(*groups, n=index)] = value
                break
        else:
            raise InputError(
                f"{name!r} is not a parameter of the published appearance generator: give its state dict, "
                "not that of a discriminator or an optimizer"
            )
    return result
