"""Correction of what H_A paints by its guide: the source's colors, and detail no stronger than the source's.

An addition to the paper, after the network. Where the source shows little, a network that has learnt for hours instead
of weeks tints and stains: trousers that end at the photo's edge turn green below it. The guide (`pgen.body.paste`)
knows the colors, so the network keeps the detail and the guide gives the means around it, label by label.
"""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batch import PersonBatch, one_hot
from pgen.body.labels import LABEL_COUNT, SKIN_LABELS, Label
from pgen.body.masks import dilate
from pgen.body.paste import Paste

#: Standard deviation of the neighbourhood in which colors are those of the guide, as a share of the longer side.
_REACH = 0.047
#: Where the guide has only mean colors, detail is at most so strong as a share of the label's in the source.
_INVENTED = 0.12
#: Within so much of the longer side around the figure the background is H_A's: there are its shadows.
_NEAR = 0.008
#: Standard deviation in pixels by which borders between labels are softened: maps know whole pixels, photos do not.
_SOFT = 0.5
#: Labels with fewer pixels than this show too little of themselves to tell how strong their detail is.
_FEW = 20


def match_guide_colors(image: Tensor, source: PersonBatch, guide: Paste, labels: Tensor) -> Tensor:
    """``image`` (B, 3, H, W) in [−1, 1], painted into ``labels`` (long, B, H, W), with the mean colors of the guide.

    - Around each pixel, its label has the mean color that it has in the guide; detail stays H_A's.
    - Detail that the source does not show, where the guide has but its label's mean color, is no stronger than a share
      of what the source has under that label. Faces are excepted: their detail is at features, not at texture.
    - Borders between labels are smooth.
    - Away from the figure, the background is the guide's: the source's own.

    Args:
        image: gradients go through it.
        source: the people who were painted, or the one, of the same size.
        guide: the label-aware paste of ``source`` into ``labels``.
    """
    image, width = image.float(), max(labels.shape[1:])
    sigma, target = _REACH * width, one_hot(labels)
    fine = image - _average_around(image, labels, sigma)
    with torch.no_grad():  # in training, how much weaker detail is made is a given
        strength = _average_around(fine.square().mean(1, keepdim=True), labels, sigma / 2).sqrt()
        strengths = _measure_strengths(source, sigma).expand(len(labels), -1)
        allowed = _INVENTED * strengths.gather(1, labels.flatten(1)).view_as(strength)
        share = (allowed / strength.clamp_min(1e-3)).clamp_max(1)
    figure = (labels != Label.BACKGROUND)[:, None]
    invented = figure & (guide.valid < 0.5) & (labels != Label.FACE)[:, None]
    # Soft borders: a step in the strength of the detail would show.
    soft = _blur(invented.float(), width / 128)
    corrected = _average_around(guide.image, labels, sigma) + fine * torch.lerp(torch.ones_like(share), share, soft)
    inner = F.avg_pool2d(target, 3, stride=1, padding=1, count_include_pad=False).amax(1, keepdim=True) > 0.999
    corrected = torch.lerp(corrected, _blur(corrected, _SOFT), _blur((~inner).float(), 2 * _SOFT))
    margin = round(_NEAR * width)
    near = dilate(figure.float(), margin)
    behind = (1 - _blur(near, width / 128)) * ~figure
    return torch.lerp(corrected, guide.image.float(), behind).clamp(-1, 1)


def _measure_strengths(source: PersonBatch, sigma: float) -> Tensor:
    """Standard deviation (B, 10) of each label's detail in the source; that of other skin where skin is not shown.

    Infinite for any other label that the source does not show.
    """
    parsing = source.one_hot()
    image = source.images.float()
    power = (image - _average_around(image, source.labels, sigma)).square().mean(1)
    counts = parsing.sum((2, 3))
    known = counts > _FEW
    powers = torch.einsum("bkhw,bhw->bk", parsing, power) / counts.clamp_min(1)
    skin = list(SKIN_LABELS)
    of_skin = (powers * known)[:, skin].sum(1) / known[:, skin].sum(1).clamp_min(1)
    other = torch.full_like(powers, torch.inf)
    other[:, skin] = of_skin[:, None]
    return torch.where(known, powers, other).sqrt()


def _average_around(values: Tensor, labels: Tensor, sigma: float) -> Tensor:
    """Mean (B, C, H, W) of ``values`` (B, C, H, W) around each pixel over those of its own label (long, B, H, W).

    Computed on a coarser grid, as ``sigma``, in pixels, is wide.
    """
    batch, channels, height, width = values.shape
    coarse = max(1, int(sigma / 3))
    while height % coarse or width % coarse:
        coarse -= 1
    small, cells = (height // coarse, width // coarse), (height // coarse) * (width // coarse)
    known = torch.cat([values.float(), torch.ones_like(values[:, :1], dtype=torch.float32)], 1)
    at = labels.view(batch, small[0], coarse, small[1], coarse) * cells
    at = at + torch.arange(cells, device=at.device).view(1, small[0], 1, small[1], 1)
    known = known.view(batch, channels + 1, small[0], coarse, small[1], coarse)
    sums = known.new_zeros(batch, channels + 1, LABEL_COUNT * cells)
    for row, column in product(range(coarse), repeat=2):  # each time one pixel of a cell: in a certain order everywhere
        where = at[:, :, row, :, column].flatten(1)[:, None].expand(-1, channels + 1, -1)
        sums = sums.scatter_add(2, where, known[:, :, :, row, :, column].flatten(2))
    sums = _blur((sums / coarse**2).view(batch, -1, *small), sigma / coarse)
    sums = sums.view(batch, channels + 1, LABEL_COUNT, *small)
    means = sums[:, :-1] / sums[:, -1:].clamp_min(1e-4)
    # Each pixel takes the mean of its label, from a volume with a layer for each, between the grid's points.
    places = [(torch.arange(side, device=at.device) * 2 + 1) / side - 1 for side in (height, width)]
    down, across = torch.meshgrid(*places, indexing="ij")
    layer = (labels * 2 + 1) / LABEL_COUNT - 1
    grid = torch.stack([across.expand_as(layer), down.expand_as(layer), layer], -1)[:, None]
    return F.grid_sample(means, grid, padding_mode="border", align_corners=False)[:, :, 0]


def _blur(maps: Tensor, sigma: float) -> Tensor:
    """``maps`` (B, C, H, W) under a Gaussian of ``sigma`` pixels; nothing beyond the frame."""
    radius = max(1, round(3 * sigma))
    offsets = torch.arange(-radius, radius + 1, device=maps.device, dtype=maps.dtype)
    weights = torch.exp(-offsets.square() / (2 * sigma**2))
    channels = maps.shape[1]
    across = (weights / weights.sum()).view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    maps = F.conv2d(maps, across, padding=(0, radius), groups=channels)
    return F.conv2d(maps, across.transpose(2, 3), padding=(radius, 0), groups=channels)
