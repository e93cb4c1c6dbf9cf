"""Training of H_A: A → B's pose → back to A (SPT, section 3.2), with H_S frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor, nn

from pgen.body.batched import pose_masks
from pgen.body.posemask import radius_for
from pgen.data.samples import Sampler, augmented
from pgen.models.appearance import appearance_generator
from pgen.models.discriminators import PatchDiscriminator
from pgen.models.face import crop_faces
from pgen.models.inputs import Transfer, Views, one_hot, paint, predict_layout
from pgen.models.perceptual import PerceptualFeatures
from pgen.models.pose_detector import PoseDetector
from pgen.models.semantic import SemanticGenerator
from pgen.training import losses
from pgen.training.config import AppearanceTraining
from pgen.training.draws import PairDraw, draw_pairs
from pgen.training.pose_stage import detector_loss


@dataclass
class Frozen:
    """Networks that H_A's training uses but does not change."""

    semantic: SemanticGenerator | None  #: None: only for ``predicted = 0``
    pose: PoseDetector
    perceptual: PerceptualFeatures

    def to(self, device: torch.device) -> Frozen:
        """The networks on ``device``."""
        return Frozen(self.semantic and self.semantic.to(device), self.pose.to(device), self.perceptual.to(device))


class AppearanceStage:
    """The cycle A → fake B → fake A with all losses of H_A."""

    name, score = "joint", "mask_ssim"

    def __init__(
        self,
        config: AppearanceTraining,
        frozen: Frozen,
        train: Sampler,
        held_out: Sampler,
        held_out_pairs: Tensor,
        matches: Tensor,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        torch.manual_seed(seed)
        self.config, self.schedule, self.device = config, config.schedule, torch.device(device)
        self.frozen = frozen = frozen.to(self.device)
        self.train, self.held_out, self.pairs, self.frame = train, held_out, held_out_pairs, train.size
        self.matches = matches
        layout = torch.channels_last
        self.model = appearance_generator(config.network).to(self.device).to(memory_format=layout)
        self.critic = PatchDiscriminator(config.critic).to(self.device).to(memory_format=layout)
        self.face_critic = PatchDiscriminator(config.face_critic).to(self.device).to(memory_format=layout)
        self.networks = nn.ModuleDict({"appearance": self.model})
        self.critics = nn.ModuleDict({"image": self.critic, "face": self.face_critic})
        self.companions: Mapping[str, nn.Module] = {} if frozen.semantic is None else {"semantic": frozen.semantic}
        self._judged: dict[str, tuple[Tensor, Tensor]]

    def draw(self, generator: torch.Generator) -> PairDraw:
        return draw_pairs(self.train, self.matches, self.schedule, generator, self.config.predicted)

    def _targets(self, source: Views, draw: PairDraw) -> tuple[Tensor, Tensor]:
        """Target poses, and target maps (B, 10, H, W): H_S's own in any pose, or a pseudo label's in its pose."""
        target = augmented(self.train.views(draw.target, self.device), draw.target_change)
        if not self.config.predicted:
            return target.poses, target.one_hot()
        transfer = Transfer(source.poses, target.poses, self.frame)
        predicted = draw.predicted.to(self.device)[:, None, None, None]
        layout = torch.where(predicted, self._layout(source, target, transfer), target.one_hot())
        return target.poses, layout

    @torch.no_grad()
    def _layout(self, source: Views, target: Views, transfer: Transfer) -> Tensor:
        """Target map (B, 10, H, W), one-hot: as H_S predicts it or, without H_S, the true one."""
        if self.frozen.semantic is None:
            return target.one_hot()
        return one_hot(predict_layout(self.frozen.semantic, source, transfer).argmax(1))

    def generator_losses(self, draw: PairDraw) -> dict[str, Tensor]:
        config, weights = self.config, self.config.weights
        a = augmented(self.train.views(draw.source, self.device), draw.source_change)
        poses_b, layout_b = self._targets(a, draw)
        labels_b, layout_a = layout_b.argmax(1), a.one_hot()

        there = Transfer(a.poses, poses_b, self.frame)
        pasted = there.paste(a.images, a.labels, labels_b)
        fake_b = paint(self.model, a, there, layout_b, pasted)
        b = Views(fake_b, labels_b, poses_b)
        fake_a = paint(self.model, b, Transfer(poses_b, a.poses, self.frame), layout_a, source_layout=layout_b)

        batch = len(draw)
        fakes = torch.cat([fake_b, fake_a]).contiguous(memory_format=torch.channels_last)
        poses = torch.cat([poses_b, a.poses])
        with torch.no_grad():
            features = self.frozen.perceptual(a.images.contiguous(memory_format=torch.channels_last))
        fake_features = self.frozen.perceptual(fakes)
        result = {
            "pose": 2 * weights.pose * detector_loss(self.frozen.pose, fakes, poses),
            "content": weights.content * losses.content_loss(fake_features[batch:].float(), features.float()),
            "style": weights.style * self._style(features, fake_features, layout_a, layout_b),
        }
        if weights.cycle:
            result["cycle"] = weights.cycle * losses.cycle_loss(fake_a, a.images)
        if weights.paste:
            result["paste"] = weights.paste * losses.paste_loss(fake_b, pasted.image.detach(), pasted.confidence)

        pairs = torch.cat([fakes, torch.cat([layout_b, layout_a])[:, 1:]], 1)
        faces = crop_faces(fakes, poses, config.face_size)
        result["adversarial"] = 2 * weights.adversarial * losses.real_loss(self.critic(pairs))
        result["face"] = 2 * weights.face * losses.real_loss(self.face_critic(faces))
        self._judged = {
            "image": (torch.cat([a.images, layout_a[:, 1:]], 1), pairs.detach()),
            "face": (crop_faces(a.images, a.poses, config.face_size), faces.detach()),
        }
        return result

    def _style(self, features: Tensor, fake_features: Tensor, layout_a: Tensor, layout_b: Tensor) -> Tensor:
        """Style of fake B against A, and of fake A against fake B."""
        stride, by_area = self.config.style_stride, self.config.style_by_area
        batch = len(features)

        def thinned(x: Tensor) -> Tensor:
            return x[..., ::stride, ::stride].to(features.dtype)

        masks_a, masks_b = losses.region_masks(layout_a), losses.region_masks(layout_b)
        shared = losses.shared_regions(masks_a, masks_b)
        masks_a, masks_b = thinned(masks_a), thinned(masks_b)
        gram_a = losses.gram_matrices(thinned(features), masks_a, by_area)
        gram_fake_b = losses.gram_matrices(thinned(fake_features[:batch]), masks_b, by_area)
        gram_fake_a = losses.gram_matrices(thinned(fake_features[batch:]), masks_a, by_area)
        return losses.style_loss(gram_fake_b, gram_a, shared) + losses.style_loss(gram_fake_a, gram_fake_b, shared)

    def critic_losses(self) -> dict[str, Tensor]:
        result = {}
        for name, (real, fake) in self._judged.items():
            verdicts = self.critics[name](torch.cat([real, fake]).contiguous(memory_format=torch.channels_last))
            result[f"{name}_critic"] = losses.real_loss(verdicts[: len(real)]) + losses.fake_loss(verdicts[len(real) :])
        return result

    @torch.no_grad()
    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """SSIM and mask-SSIM against the true photo of the same person, of H_A and of the paste without a network.

        On maps that H_S predicts; without H_S, on true maps.
        """
        scores: dict[str, list[float]] = {
            "ssim": [],
            "mask_ssim": [],
            "paste_ssim": [],
            "paste_mask_ssim": [],
        }
        for pairs in self.pairs.split(16):
            source, target = (self.held_out.views(side, self.device) for side in pairs.T)
            transfer = Transfer(source.poses, target.poses, self.frame)
            layout = self._layout(source, target, transfer)
            pasted = transfer.paste(source.images, source.labels, layout.argmax(1))
            image = paint(networks["appearance"], source, transfer, layout, pasted)  # type: ignore[arg-type]
            mask = pose_masks(target.poses, self.frame, radius_for(self.frame))
            for prefix, found in (("", image), ("paste_", pasted.image)):
                scores[f"{prefix}ssim"] += _ssim(found, target.images)
                scores[f"{prefix}mask_ssim"] += _ssim(found, target.images, mask)
        return {name: float(np.mean(values)) for name, values in scores.items()}


def _ssim(found: Tensor, true: Tensor, mask: Tensor | None = None) -> list[float]:
    """SSIM of each image (B, 3, H, W) in [−1, 1] as bytes; both are multiplied by ``mask`` (B, 1, H, W) first."""

    def as_bytes(x: Tensor) -> np.ndarray:
        x = ((x.clamp(-1, 1) + 1) * 127.5).round()
        return (x if mask is None else x * mask).byte().permute(0, 2, 3, 1).cpu().numpy()

    return [
        structural_similarity(
            a,
            b,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(as_bytes(found), as_bytes(true), strict=True)
    ]
