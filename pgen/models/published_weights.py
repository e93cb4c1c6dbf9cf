"""Names of the authors' published appearance generator → names of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from pgen.errors import InputError

#: What the authors' names begin with and what ours do, of both networks and both encoders.
_NETWORKS = {"model_global.": "coarse.", "model_local_": ""}
_ENCODERS = {"app": "source_encoder", "pose": "target_encoder"}

_ENCODER = r"(?P<network>model_global\.|model_local_)encoder_(?P<encoder>app|pose)\.net"
_DECODER = r"model_global\.decoder\.net"
_BOTH = r"(?P<kind>weight|bias)"

#: Patterns of the authors' parameter names and what each becomes.
_RULES: tuple[tuple[str, str], ...] = (
    (rf"{_ENCODER}\.0\.{_BOTH}", "{network}{encoder}.stem.{kind}"),
    (rf"{_ENCODER}\.(?P<layer>[1-9])\.net\.1\.(?P<kind>weight)", "{network}{encoder}.blocks.{block}.conv.{kind}"),
    (rf"{_ENCODER}\.(?P<layer>[1-9])\.net\.2\.{_BOTH}", "{network}{encoder}.blocks.{block}.norm.{kind}"),
    (rf"{_DECODER}\.(?P<layer>\d)\.net\.1\.(?P<kind>weight)", "coarse.decoder.blocks.{layer}.conv.{kind}"),
    (rf"{_DECODER}\.(?P<layer>\d)\.net\.3\.{_BOTH}", "coarse.decoder.blocks.{layer}.norm.{kind}"),
    (rf"{_DECODER}\.6\.{_BOTH}", "coarse.to_image.{kind}"),
    (r"model_local_decoder\.net\.0\.net\.1\.(?P<kind>weight)", "block.conv.{kind}"),
    (rf"model_local_decoder\.net\.0\.net\.3\.{_BOTH}", "block.norm.{kind}"),
    (rf"model_local_decoder\.net\.2\.{_BOTH}", "to_image.{kind}"),
)


def rename_published(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict of :class:`~pgen.models.appearance.TwoLevelAppearanceGenerator` from the authors' names.

    A ``module.`` prefix, as left by data-parallel training, is dropped. Raises `InputError` for a name that is none of
    the authors' generator.
    """
    result = {}
    for name, value in published.items():
        plain = name.removeprefix("module.")
        for pattern, template in _RULES:
            match = re.fullmatch(pattern, plain)
            if match:
                parts = match.groupdict()
                if "encoder" in parts:
                    parts |= {"network": _NETWORKS[parts["network"]], "encoder": _ENCODERS[parts["encoder"]]}
                result[template.format(**parts, block=int(parts.get("layer", 1)) - 1)] = value
                break
        else:
            raise InputError(
                f"{name!r} is not a parameter of the published appearance generator: give its state dict, "
                "not that of a discriminator or an optimizer"
            )
    return result
