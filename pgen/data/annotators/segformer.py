"""Parsing maps by SegFormer networks that were trained on clothes (ATR's 18 labels), through ``transformers``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pgen.body.sides import assign_nearest_sides
from pgen.data.annotators.interface import FoundMap, ParsingRequest
from pgen.data.annotators.own_parser import mark_person
from pgen.data.formats.parsing_merge import merge_labels
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.errors import InputError

#: The checkpoint that is looked for in the cache of ``transformers`` when none is named.
CHECKPOINT = "mattmdjaga/segformer_b2_clothes"

_SIDE = 512  # pixels of the network's square frame
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as its preprocessing has them
_SEEN = 0.5  # silhouette from which a pixel is the person's
_REACH = 0.03  # of the photo's longer side, by which a person may reach beyond the silhouette
_CLEARLY = 0.01  # of the photo's longer side, by which the other limb is farther where a pixel changes sides


class SegFormer:
    """A `ParsingAnnotator` that looks at the whole photo; with a silhouette, what is far from it is background.

    Args:
        checkpoint: folder of a checkpoint with ATR's 18 labels; None for `CHECKPOINT` where it was fetched before.
            Nothing is downloaded.

    Raises:
        InputError: ``transformers`` is not installed, the checkpoint is not there or has other labels.
    """

    name = "SegFormer"

    def __init__(self, checkpoint: str | os.PathLike[str] | None = None) -> None:
        if find_spec("transformers") is None:
            raise InputError(
                "the parser segformer needs transformers, which is not installed: pip install 'pgen[transformers]'"
            )
        if checkpoint is not None and not Path(checkpoint).is_dir():
            raise InputError(f"segformer:{os.fspath(checkpoint)}: is not the folder of a checkpoint")
        self._network, self._device = _load(os.fspath(checkpoint or CHECKPOINT)), torch.device("cpu")
        self._scheme = load_scheme("atr18")
        if self._network.config.num_labels != len(self._scheme.merges):
            raise InputError(
                f"{os.fspath(checkpoint or CHECKPOINT)}: has {self._network.config.num_labels} labels, not the "
                f"{len(self._scheme.merges)} of ATR; give a checkpoint trained on those"
            )

    def to(self, device: torch.device) -> None:
        """Run on ``device`` from now on; at first it is the CPU."""
        self._network.to(device)
        self._device = device

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        """Parsing maps at the photos' own sizes."""
        return [FoundMap(self._parse(photo)) for photo in photos]

    def _parse(self, photo: ParsingRequest) -> NDArray[np.uint8]:
        height, width = photo.image.shape[:2]
        pixels = torch.from_numpy(np.ascontiguousarray(photo.image)).to(self._device).permute(2, 0, 1)[None].float()
        pixels = F.interpolate(pixels / 255, size=(_SIDE, _SIDE), mode="bilinear", antialias=True)
        mean, deviation = (torch.tensor(v, device=self._device)[:, None, None] for v in (_MEAN, _DEVIATION))
        with torch.inference_mode():
            logits = self._network(pixel_values=(pixels - mean) / deviation).logits
            ids = F.interpolate(logits, size=(height, width), mode="bilinear").argmax(1)[0].cpu().numpy()
        parsing = merge_labels(ids, self._scheme, photo.pose)
        longer = max(height, width)
        if photo.silhouette is not None:
            reach = 2 * round(_REACH * longer) + 1
            seen = torch.from_numpy(mark_person(photo) | (photo.silhouette > _SEEN))[None].float()
            parsing[(F.max_pool2d(seen, reach, 1, reach // 2)[0] == 0).numpy()] = 0
        return assign_nearest_sides(parsing, photo.pose, _CLEARLY * longer)


def _load(name: str) -> Any:
    """The network of a checkpoint, from the disk alone and without executing anything in it."""
    from transformers import SegformerForSemanticSegmentation

    try:
        return SegformerForSemanticSegmentation.from_pretrained(
            name, local_files_only=True, use_safetensors=None
        ).eval()
    except Exception as error:  # transformers raises many kinds
        reason = " ".join(str(error).split())[:100]
        raise InputError(
            f"{name}: not a SegFormer checkpoint that is here ({reason}); give its folder: segformer:FOLDER"
        ) from None
