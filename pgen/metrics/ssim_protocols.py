"""The protocols of SSIM that the field's papers have used, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from pgen.errors import InputError

Frame = Literal["as it is", "176", "256pad"]

#: Columns of a 256×256 image of DeepFashion that the person takes up; beside them it is white.
CONTENT = slice(40, 216)
_CONTENT_WIDTH, _WIDTH = CONTENT.stop - CONTENT.start, 256


@dataclass(frozen=True)
class SsimProtocol:
    """How SSIM is computed."""

    window: Literal["gaussian", "uniform"]  #: σ 1.5 and 11 pixels wide, or all of ``width`` alike
    width: int
    data_range: int | None  #: of 8-bit values; None: maximum − minimum of the generated image
    frame: Frame
    text: str  #: the protocol in words


_LEGACY = "8-bit RGB, Gaussian window σ 1.5, population covariance, data range = max − min of the generated image"

_FIXED = "8-bit RGB, Gaussian window σ 1.5, population covariance, data range 255, images as they are"
_UNIFORM = "RGB in [0, 1], uniform window 51, sample covariance, data range 1"

SSIM_PROTOCOLS: Mapping[str, SsimProtocol] = {
    "legacy": SsimProtocol("gaussian", 11, None, "as it is", f"{_LEGACY}, images as they are"),
    "legacy-176": SsimProtocol("gaussian", 11, None, "176", f"{_LEGACY}, columns 40 to 215 of 256"),
    "legacy-256pad": SsimProtocol("gaussian", 11, None, "256pad", f"{_LEGACY}, 176 columns padded to 256 in white"),
    "gfla-51": SsimProtocol("uniform", 51, 255, "as it is", _UNIFORM),
    "gaussian-255": SsimProtocol("gaussian", 11, 255, "as it is", _FIXED),
}


def find_ssim_protocol(name: str) -> SsimProtocol:
    """The protocol called ``name``. Raises `InputError` if there is none."""
    if name not in SSIM_PROTOCOLS:
        raise InputError(
            f"there is no SSIM protocol {name!r}; choose one of {', '.join(SSIM_PROTOCOLS)}", option="protocols"
        )
    return SSIM_PROTOCOLS[name]


def to_frame(images: Tensor, frame: Frame, fill: int = 255) -> Tensor:
    """``images`` (B, C, H, W) as the protocol's frame has them.

    "176" takes the middle columns of images 256 wide, "256pad" pads those to 256 with ``fill`` on both sides; images
    176 wide are those columns already.

    Raises:
        InputError: the images are neither 176 nor 256 pixels wide, and the frame needs it.
    """
    if frame == "as it is":
        return images
    width = images.shape[-1]
    if width not in (_CONTENT_WIDTH, _WIDTH):
        raise InputError(
            f"images {width} pixels wide have no legacy-{frame} score, which is of DeepFashion's 176 or 256; choose "
            "the protocol legacy",
            option="protocols",
        )
    content = images if width == _CONTENT_WIDTH else images[..., CONTENT]
    if frame == "176":
        return content
    return F.pad(content, (CONTENT.start, _WIDTH - CONTENT.stop), value=fill)
