"""SSIM of batches of images (Wang et al. 2004) by the protocols that the field's papers have used.

Equal to scikit-image's and several times as fast: instead of the textbook's five maps (x, y, x², y², xy) four are
filtered, of the sum s and the difference d of the images: 4·xy = s² − d², 2·(x² + y²) = s² + d².
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.errors import InputError
from pgen.runtime.threads import thread_pool

Frame = Literal["as it is", "176", "256pad"]

#: Columns of a 256×256 image of DeepFashion that the person takes up; beside them it is white.
CONTENT = slice(40, 216)
_CONTENT_WIDTH, _WIDTH = CONTENT.stop - CONTENT.start, 256

#: Half of a Gaussian window of σ 1.5, from its center: as scikit-image has it, cut off at 3.5 σ.
_HALF = [math.exp(-0.5 * (k / 1.5) ** 2) for k in range(6)]
_WEIGHTS = [weight / (_HALF[0] + 2 * sum(_HALF[1:])) for weight in _HALF]
_K1, _K2 = 0.01, 0.03

#: With a smaller data range, the constants of SSIM are so small that float32, off by some 1e-7, would show.
_SINGLE_FROM = 128
#: What is taken from the sum of two 8-bit values, to be smaller numbers: exactly representable as they are.
_CENTER = 255


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
    176 wide are those columns already. Raises `InputError` for images of another width, where it matters.
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


def ssim(
    generated: Tensor,
    target: Tensor,
    protocol: str = "legacy",
    mask: Tensor | None = None,
    figure: Tensor | None = None,
) -> Tensor:
    """SSIM of each pair of images.

    Args:
        generated, target: uint8 (B, 3, H, W).
        protocol: a name of `SSIM_PROTOCOLS`.
        mask: (B, 1, H, W) of 0 and 1 or bool; both images are multiplied by it first, and the zeros count (mask-SSIM).
        figure: bool (B, H, W): the mean of the SSIM map is over these pixels alone, as far as their windows lie in the
            image; windows may reach beyond the figure.

    Returns:
        float64 (B,), NaN where the figure is empty, or the protocol defines no value: both images are constant, and
        the data range is 0.

    Raises:
        InputError: no such protocol, or the images do not have the width that it needs.
        ValueError: shapes or types differ, or the images are smaller than the window.

    >>> image = torch.arange(3 * 32 * 32).reshape(1, 3, 32, 32).byte()
    >>> ssim(image, image).tolist(), ssim(image, 255 - image).item() < 0
    ([1.0], True)
    """
    how = find_ssim_protocol(protocol)
    generated, target = to_frame(generated, how.frame), to_frame(target, how.frame)
    size = (generated.shape[-2], generated.shape[-1])
    if generated.shape != target.shape or generated.ndim != 4:
        raise ValueError(f"images (B, 3, H, W) of one size, not {tuple(generated.shape)} and {tuple(target.shape)}")
    if generated.dtype != torch.uint8 or target.dtype != torch.uint8:
        raise ValueError(f"SSIM is of uint8 images, not {generated.dtype} and {target.dtype}")
    if min(size) < how.width:
        raise ValueError(f"images of {size} are smaller than the window of {how.width} pixels")
    if mask is not None:
        kept = to_frame(mask, how.frame, fill=0).to(torch.uint8)
        generated, target = generated * kept, target * kept
    inner = None
    if figure is not None:
        margin = how.width // 2
        inner = to_frame(figure[:, None].byte(), how.frame, fill=0)[:, 0, margin:-margin, margin:-margin].bool()

    def means(indices: Sequence[int], space: _Workspace) -> list[float]:
        found = []
        for index in indices:
            maps = _maps(generated[index], target[index], how, space)
            found.append(sum(float((one if inner is None else one[inner[index]]).mean()) for one in maps) / 3)
        return found

    count = min(torch.get_num_threads(), len(generated))
    shares = [range(len(generated))[k::count] for k in range(count)]
    spaces = _workspaces(count, size)
    result = torch.empty(len(generated), dtype=torch.float64)
    with thread_pool() if count > 1 else nullcontext() as pool:
        for share, found in zip(shares, (pool.map if pool else map)(means, shares, spaces), strict=False):
            result[share] = torch.tensor(found, dtype=torch.float64)
    return result


class _Workspace(dict[tuple[torch.dtype, int], Tensor]):
    """Memory for the maps of one channel (height, width) after the other: asking for it takes longer than computing.

    Four maps (4, height, width) of a type of numbers, the same ones for the same number.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def __missing__(self, key: tuple[torch.dtype, int]) -> Tensor:
        self[key] = torch.empty((4, *self.size), dtype=key[0])
        return self[key]


_of_thread = threading.local()


def _workspaces(count: int, size: tuple[int, int]) -> list[_Workspace]:
    """So many workspaces; this thread's last ones, if they are of the right size."""
    spaces: list[_Workspace] = [one for one in getattr(_of_thread, "spaces", []) if one.size == size]
    spaces += [_Workspace(size) for _ in range(count - len(spaces))]
    _of_thread.spaces = spaces
    return spaces


def _maps(generated: Tensor, target: Tensor, how: SsimProtocol, space: _Workspace) -> Iterator[Tensor]:
    """SSIM maps (H', W') of the channels of one pair (3, H, W). Each is overwritten by the next."""
    spread = how.data_range or int(generated.max()) - int(generated.min())
    if spread == 0:  # the constants of SSIM are 0 as well: 0 where the target varies, rounding errors where it does not
        height, width = (side - how.width + 1 for side in generated.shape[-2:])
        yield from torch.full((3, height, width), torch.nan if target.min() == target.max() else 0.0)
        return
    for a, b in zip(generated, target, strict=True):
        if how.window == "gaussian":
            yield _index(_gaussian_moments(a, b, spread, space), spread)
        else:
            yield _index(_uniform_moments(a, b, how.width, space), spread)


class _Moments(NamedTuple):
    """Of the sum of two images and of their difference, each times a number that is the same for all pixels."""

    means: Tensor  #: (2, H', W')
    variances: Tensor  #: (2, H', W')
    spare: Tensor  #: (2, H', W'), memory to work in
    mean_scale: float = 1
    variance_scale: float = 1


def _index(moments: _Moments, spread: int) -> Tensor:
    """SSIM (H', W'); the moments are overwritten."""
    means, variances, squares, mean_scale, variance_scale = moments
    torch.mul(means, means, out=squares)
    # Twice 2·x̄·ȳ and x̄² + ȳ², 2·cov(x, y) and var(x) + var(y): the factors cancel.
    c1 = 2 * (_K1 * spread * mean_scale) ** 2
    c2 = 2 * (_K2 * spread) ** 2 * variance_scale
    upper, lower = means
    torch.sub(squares[0], squares[1], out=upper).add_(c1)
    torch.sub(variances[0], variances[1], out=lower).add_(c2)
    upper.mul_(lower)
    torch.add(squares[0], squares[1], out=lower).add_(c1)
    return upper.div_(lower.mul_(variances[0].add_(variances[1]).add_(c2)))


def _gaussian_moments(generated: Tensor, target: Tensor, spread: int, space: _Workspace) -> _Moments:
    """Of one channel (H, W), where the window lies inside: H' = H − 10, W' = W − 10."""
    kind = torch.float32 if spread >= _SINGLE_FROM else torch.float64
    maps, spare = space[kind, 0], space[kind, 1]
    maps[0].copy_(generated).add_(target).sub_(_CENTER)
    maps[1].copy_(generated).sub_(target)
    torch.mul(maps[:2], maps[:2], out=maps[2:])
    reach = len(_WEIGHTS) - 1
    for dim in (1, 2):
        length = maps.shape[dim] - 2 * reach
        result = spare.narrow(dim, 0, length)
        torch.mul(maps.narrow(dim, reach, length), _WEIGHTS[0], out=result)
        for step, weight in enumerate(_WEIGHTS[1:], start=1):
            for start in (reach - step, reach + step):
                result.add_(maps.narrow(dim, start, length), alpha=weight)
        maps, spare = result, maps.narrow(dim, 0, length)
    means, variances, squares = maps[:2], maps[2:], spare[:2]
    variances.sub_(torch.mul(means, means, out=squares))
    means[0].add_(_CENTER)
    return _Moments(means, variances, squares)


def _uniform_moments(generated: Tensor, target: Tensor, width: int, space: _Workspace) -> _Moments:
    """Of one channel (H, W), where the window lies inside: H' = H − width + 1, W' = W − width + 1.

    Sums are exact: 51² values of up to 510² fit in 30 bits. Variances are of the sample, a small difference of large
    numbers: float64.
    """
    maps = space[torch.int32, 0]
    maps[0].copy_(generated).add_(target)
    maps[1].copy_(generated).sub_(target)
    torch.mul(maps[:2], maps[:2], out=maps[2:])
    sums = _window_sums(maps, space[torch.int32, 1], space[torch.int32, 2], width)
    there = (slice(None), slice(sums.shape[1]), slice(sums.shape[2]))
    count = width**2
    exact = space[torch.float64, 0][there].copy_(sums)
    exact[2:].addcmul_(exact[:2], exact[:2], value=-1 / count)
    results, more = space[torch.float32, 0][there].copy_(exact), space[torch.float32, 1][there]
    return _Moments(results[:2], results[2:], more[:2], count, count - 1)


def _window_sums(maps: Tensor, spare: Tensor, more: Tensor, width: int) -> Tensor:
    """Sums of ``maps``, int32 (C, H, W), over squares: (C, H − width + 1, W − width + 1). All memory is overwritten.

    Down the columns a window of 51 = 3 + 3·16 rows takes 7 additions.
    """
    three = torch.add(maps[:, :-1], maps[:, 1:], out=spare[:, 1:])[:, :-1].add_(maps[:, 2:])
    columns, span, free = three, 3, (more, maps)
    while 2 * span < width:
        count = columns.shape[1] - span
        columns = torch.add(columns[:, :count], columns[:, span:], out=free[0][:, :count])
        span, free = 2 * span, free[::-1]
    assert span + 3 == width, "only windows of 3 + 3·2^k pixels"
    columns = columns[:, : maps.shape[1] - width + 1].add_(three[:, span:])
    # Sums from the left border on may run over and wrap around; their differences are right again.
    running = torch.cumsum(columns, 2, dtype=torch.int32, out=spare[:, : columns.shape[1]])
    sums = columns[..., : columns.shape[2] - width + 1]
    sums[..., 0] = running[..., width - 1]
    torch.sub(running[..., width:], running[..., :-width], out=sums[..., 1:])
    return sums
