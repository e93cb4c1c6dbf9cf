"""The objective of H_A: all its terms in one dict, and what they look at.

A new term is a file in `pgen.losses`, an entry of `TERMS`, and its weight in a recipe, ``training/recipes/*.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, downscale_poses
from pgen.body.heatmaps import strided_heatmaps
from pgen.body.labels import LABEL_COUNT
from pgen.body.parts import crop_faces
from pgen.body.paste import Paste
from pgen.losses.cross_entropy import parsed_map_loss, parsing_cross_entropy
from pgen.losses.gan import gan_real_loss
from pgen.losses.perceptual import content_loss
from pgen.losses.pose import pose_loss
from pgen.losses.reconstruction import reconstruction_loss, warp_l1_loss
from pgen.losses.soft_iou import soft_iou_loss
from pgen.losses.style import gram_matrices, region_masks, shared_regions, style_loss
from pgen.models.checkpointing import run_checkpointed
from pgen.models.parser import Parser, ParserInput
from pgen.models.pose_detector import PoseDetector
from pgen.models.semantic import SemanticGenerator
from pgen.models.vgg import VggFeatures
from pgen.training.config import AppearanceTraining

#: The total loss of the paper (SPT, section 3.2), where two pictures count as a sum, and then additions.
TERMS: dict[str, Callable[[Generated], Tensor]] = {
    "adversarial": lambda g: 2 * gan_real_loss(g.logits("image")),
    "face_adversarial": lambda g: 2 * gan_real_loss(g.logits("face")),
    "pose": lambda g: 2 * pose_loss(*g.heatmaps),
    "content": lambda g: content_loss(g.features["second"], g.features["truth"]),
    "style": lambda g: g.style("fake_b", "a") + g.style("second", "fake_b"),
    # Additions.
    "recon_l1": lambda g: reconstruction_loss(g.second, g.truth),
    "face_recon": lambda g: reconstruction_loss(*g.faces) + content_loss(*map(g.frozen.perceptual, g.faces)),
    "warp_l1": lambda g: warp_l1_loss(g.fake_b, g.paste.image, g.paste.confidence),
    "parsed_map": lambda g: parsed_map_loss(g.parsed, g.parsings.chunk(2)[0]),
}

#: What H_S adds to it when both are trained end to end (section 3.4).
END_TO_END_TERMS: dict[str, Callable[[ParsingPrediction], Tensor]] = {
    "parsing_cross_entropy": lambda p: parsing_cross_entropy(p.logits, p.labels, p.pose_mask),
    "parsing_soft_iou": lambda p: soft_iou_loss(p.logits, p.labels),
}


def weigh_terms(generated: Generated, weights: Mapping[str, float]) -> dict[str, Tensor]:
    """Every term times its weight; those of weight 0 are not computed."""
    result = {name: weights[name] * term(generated) for name, term in TERMS.items() if weights.get(name)}
    if generated.prediction is not None:
        for name, term in END_TO_END_TERMS.items():
            if weights.get(name):
                result[name] = weights[name] * term(generated.prediction)
    return result


@dataclass
class FrozenNetworks:
    """Networks that H_A's training starts from, on its device, and does not change but for H_S end to end."""

    semantic: SemanticGenerator | None  #: None: only for variants without H_S, or with ``random_pose_prob = 0``
    pose: PoseDetector
    perceptual: VggFeatures
    pose_downscale: int = 1  #: the pose detector was trained on frames so many times smaller, and looks at such
    parser: Parser | None = None  #: only where something asks what it sees in pictures


class ParsingPrediction(NamedTuple):
    """What H_S predicts, and what it should."""

    logits: Tensor  #: (B, 10, H, W)
    labels: Tensor  #: long (B, H, W), the pseudo label; ``IGNORED_LABEL`` where there is none
    pose_mask: Tensor  #: (B, 1, H, W)


@dataclass
class Generated:
    """What H_A has made of B samples: fake B, and a second picture whose truth is known.

    The second is fake A, generated back from fake B as in the paper, or with ``self_reconstruction`` another crop of A,
    from a part of A. What several terms look at is computed when the first of them asks.
    """

    a: PersonBatch
    parsings: Tensor  #: (2B, 10, H, W), the maps that fake B and the second picture were generated into
    poses: Tensor  #: (2B, 18, 2), the poses asked for
    images: Tensor  #: (2B, 3, H, W) in [−1, 1], fake B and the second picture
    truth: Tensor  #: (B, 3, H, W), what the second picture should be
    paste: Paste  #: the label-aware paste into fake B's map
    prediction: ParsingPrediction | None  #: of fake B's map, end to end
    config: AppearanceTraining
    frozen: FrozenNetworks
    discriminators: nn.ModuleDict

    @property
    def fake_b(self) -> Tensor:
        return self.images.chunk(2)[0]

    @property
    def second(self) -> Tensor:
        return self.images.chunk(2)[1]

    def _run(self, network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        return run_checkpointed(network, images, is_kept=not self.config.gradient_checkpointing)

    @cached_property
    def judged(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Real and generated pictures with their maps (·, 12, H, W), and faces (·, 3, side, side)."""
        a, side = self.a, self.config.face_size
        return {
            "image": (
                torch.cat([a.images, a.one_hot()[:, 1:]], 1),
                torch.cat([self.images, self.parsings[:, 1:]], 1),
            ),
            "face": (crop_faces(a.images, a.poses, side), crop_faces(self.images, self.poses, side)),
        }

    def logits(self, name: str) -> Tensor:
        """What a discriminator says of the generated."""
        return self._run(self.discriminators[name], self.judged[name][1])

    @cached_property
    def heatmaps(self) -> tuple[Tensor, Tensor]:
        """Heatmaps (2B, 18, h, w) that the pose detector finds, and those of the poses asked for."""
        detector, downscale = self.frozen.pose, self.frozen.pose_downscale
        images = _downscale(self.images, downscale)
        size = (images.shape[2], images.shape[3])
        return self._run(detector, images), strided_heatmaps(
            downscale_poses(self.poses, downscale), size, detector.stride
        )

    @cached_property
    def parsed(self) -> Tensor:
        """What the parser sees in fake B, given the pose asked for: logits (B, 10, H, W)."""
        parser, images, poses = self.frozen.parser, self.fake_b, self.poses.chunk(2)[0]
        assert parser is not None  # who builds it sees to it

        def see(images: Tensor) -> Tensor:
            nothing = torch.zeros_like(images[:, :1])
            logits = parser(ParserInput(images, poses, nothing, nothing.new_zeros(len(images), dtype=torch.bool)))
            return logits[:, :LABEL_COUNT]

        return F.interpolate(self._run(see, images), images.shape[2:], mode="bilinear", align_corners=False)

    @cached_property
    def features(self) -> dict[str, Tensor]:
        """relu2_1 features (B, 128, h, w)."""
        downscale = self.config.perceptual_downscale

        def find(images: Tensor) -> Tensor:
            return self._run(self.frozen.perceptual, _downscale(images, downscale))

        fake_b, second = find(self.images).chunk(2)
        a = find(self.a.images)
        truth = a if self.truth is self.a.images else find(self.truth)
        return {"a": a, "fake_b": fake_b, "second": second, "truth": truth}

    @cached_property
    def regions(self) -> dict[str, Tensor]:
        """Masks (B, 8, h, w) of the regions whose texture is compared, of the features' size."""
        fake_b, second = self.parsings.chunk(2)
        maps = {"a": self.a.one_hot(), "fake_b": fake_b, "second": second}
        return {name: region_masks(parsing, 2 * self.config.perceptual_downscale) for name, parsing in maps.items()}

    @cached_property
    def grams(self) -> dict[str, Tensor]:
        """Gram matrices (B, 8, 128, 128) of the regions."""
        stride, found = self.config.style_stride, {}
        for name, masks in self.regions.items():
            features, masks = self.features[name][..., ::stride, ::stride], masks[..., ::stride, ::stride]
            found[name] = gram_matrices(features, masks.to(features.dtype), self.config.style_by_area)
        return found

    def style(self, one: str, other: str) -> Tensor:
        """Style loss between two of the pictures."""
        shared = shared_regions(self.regions[one], self.regions[other])
        return style_loss(self.grams[one], self.grams[other], shared)

    @cached_property
    def faces(self) -> tuple[Tensor, Tensor]:
        """The second picture's face and the true one, enlarged: of the whole's pixels, a face has one in a hundred."""
        poses, side = self.poses.chunk(2)[1], self.config.face_size
        return crop_faces(self.second, poses, side), crop_faces(self.truth, poses, side)


def _downscale(images: Tensor, factor: int) -> Tensor:
    return F.avg_pool2d(images, factor).contiguous(memory_format=torch.channels_last)
