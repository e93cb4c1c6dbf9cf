"""Features of images that were described lately: the same photo, or the same result, is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgen.runtime.recent_pictures import RecentPictures, hash_picture

_KEPT = 1024  # images
_AT_ONCE = 8  # images: the layers of many large ones would take gigabytes


class SeenImages:
    """Features (K,), float32 on the CPU, of the last images that were described, by their pixels."""

    def __init__(self) -> None:
        self._kept = RecentPictures[Tensor](_KEPT)

    def keep(self, images: Tensor, features: Tensor) -> None:
        """Remember that images, uint8 (B, 3, H, W), have ``features`` (B, K)."""
        for key, row in zip(hash_images(images), features.float().cpu(), strict=True):
            self._kept[key] = row

    def describe(self, images: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        """Features (B, K) of images, uint8 (B, 3, H, W): ``network`` gives those (N, K) of N that are not known."""
        found: list[Tensor] = []
        for some in images.split(_AT_ONCE):
            keys = list(hash_images(some))
            new = {key: index for index, key in enumerate(keys) if key not in self._kept}
            known = {key: self._kept[key] for key in keys if key in self._kept}
            if new:
                unknown = some[list(new.values())]
                features = network(unknown).float().cpu()
                self.keep(unknown, features)
                known |= dict(zip(new, features, strict=True))
            found += [known[key] for key in keys]
        return torch.stack(found)


def hash_images(images: Tensor) -> Iterator[bytes]:
    """What tells each of ``images`` (B, 3, H, W) from all others."""
    return map(hash_picture, images.cpu().numpy())
