"""Training of H_A: A → B's pose → back to A (SPT, section 3.2), with H_S frozen or end to end (section 3.4)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import (
    PersonBatch,
    downscale_poses,
    one_hot,
    replace_parsing_by_pose_masks,
    straight_through_one_hot,
)
from pgen.body.face_crop import crop_faces
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.paste import Paste
from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset, augment
from pgen.losses import losses
from pgen.models.appearance import TwoLevelAppearanceGenerator, build_appearance_generator, paint
from pgen.models.color_correction import paint_color_corrected
from pgen.models.discriminators import PatchDiscriminator
from pgen.models.pose_detector import PoseDetector
from pgen.models.semantic import SemanticGenerator, predict_parsing
from pgen.models.vgg import VggFeatures
from pgen.training.augment.self_reconstruction import occlude
from pgen.training.config import AppearanceTraining
from pgen.training.held_out import ValidationBatch, draw_transfers, score_transfers
from pgen.training.sampling import SampledTransfers, sample_transfers
from pgen.training.tasks.base import Judged
from pgen.training.tasks.pose import detector_loss


@dataclass
class FrozenNetworks:
    """Networks that H_A's training starts from, and does not change but for H_S end to end."""

    semantic: SemanticGenerator | None  #: None: only for variants without H_S, or with ``anyone = 0``
    pose: PoseDetector
    perceptual: VggFeatures
    pose_shrink: int = 1  #: the pose detector was trained on frames so many times smaller, and looks at such

    def to(self, device: torch.device) -> FrozenNetworks:
        """The networks on ``device``."""
        semantic = None if self.semantic is None else self.semantic.to(device)
        return FrozenNetworks(semantic, self.pose.to(device), self.perceptual.to(device), self.pose_shrink)


def needs_semantic(config: AppearanceTraining) -> bool:
    """Whether a training of this kind uses H_S."""
    return config.variant == "e2e" or (config.variant == "ts-pred" and config.anyone > 0)


@dataclass
class _Painted:
    """What H_A has painted for B samples: fake B, and then a second picture whose truth is known.

    The second is fake A, painted back from fake B as in the paper, or another crop of A, painted from a part of A.
    """

    a: PersonBatch
    layout_a: Tensor  # (B, 10, H, W)
    layouts: Tensor  # (2B, 10, H, W): the maps that were painted into
    poses: Tensor  # (2B, 18, 2): the poses asked for
    fakes: Tensor  # (2B, 3, H, W)
    truth: Tensor  # (B, 3, H, W): what the second picture should be
    pasted: Paste  # into fake B's map


class AppearanceTask:
    """A → fake B → fake A, or → another crop of A, with all losses of H_A, in the four variants of the ablation."""

    name, score = "joint", "mask_ssim"

    def __init__(
        self,
        config: AppearanceTraining,
        frozen: FrozenNetworks,
        train: PersonDataset,
        held_out: PersonDataset,
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
        network = replace(config.network, parsing=config.variant != "baseline")
        self.model = build_appearance_generator(network).to(self.device).to(memory_format=layout)
        self.critic = PatchDiscriminator(config.critic).to(self.device).to(memory_format=layout)
        self.face_critic = PatchDiscriminator(config.face_critic).to(self.device).to(memory_format=layout)
        self.networks = nn.ModuleDict({"appearance": self.model})
        self.discriminators = nn.ModuleDict({"image": self.critic, "face": self.face_critic})
        self.lr_factors: Mapping[str, float] = {}
        self.frozen_networks: Mapping[str, nn.Module] = {}
        if config.variant == "e2e":
            assert frozen.semantic is not None  # the command sees to it
            self.networks["semantic"] = copy.deepcopy(frozen.semantic).train().requires_grad_(True)
            self.lr_factors = {"semantic": config.end_to_end.rate}
        elif config.variant != "baseline" and frozen.semantic is not None:
            self.frozen_networks = {"semantic": frozen.semantic}

    def start_from(self, model: nn.Module) -> None:
        """Begin with the weights of ``model``: the same H_A, or a one-level one, which becomes the global network.

        Raises ValueError if the sizes differ.
        """
        mine: nn.Module = self.model
        if isinstance(mine, TwoLevelAppearanceGenerator) and not isinstance(model, TwoLevelAppearanceGenerator):
            mine = mine.coarse
        try:
            mine.load_state_dict(model.state_dict())
        except RuntimeError:
            raise ValueError("its sizes are not the preset's") from None

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        """Before ``step``: how far the local network of a two-level H_A has faded in, and what is frozen."""
        if not isinstance(self.model, TwoLevelAppearanceGenerator):
            return
        growth = self.config.growth
        for model in (self.model, ema["appearance"]):
            model.fade_in = growth.alpha(step)  # type: ignore[assignment]
        self.model.coarse.requires_grad_(not growth.coarse_is_frozen(step))

    def sample(self, rng: torch.Generator) -> SampledTransfers:
        anyone = self.config.anyone if needs_semantic(self.config) else 0.0
        return sample_transfers(self.train, self.matches, self.schedule, rng, anyone)

    def _as_known(self, persons: PersonBatch) -> PersonBatch:
        """What the variant may know of the people."""
        return replace_parsing_by_pose_masks(persons) if self.config.variant == "baseline" else persons

    def _target_layout(
        self, source: PersonBatch, target: PersonBatch, batch: SampledTransfers
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Target maps (B, 10, H, W), and H_S's own losses.

        H_S's prediction for poses of anyone, the pseudo label's own map for the others; end to end always H_S's, whose
        cross entropy against the pseudo labels is then a loss.
        """
        if self.config.variant in ("baseline", "ts-gt") or (not self.config.anyone and self.config.variant != "e2e"):
            return target.one_hot(), {}
        anyone = batch.anyone.to(self.device)
        transfer = Transfer(source.poses, target.poses, self.frame)
        if self.config.variant == "ts-pred":
            predicted = self._predicted(self.frozen.semantic, source, transfer)
            return torch.where(anyone[:, None, None, None], predicted, target.one_hot()), {}
        share = self.config.end_to_end
        logits = predict_parsing(self.networks["semantic"], source, transfer)  # type: ignore[arg-type]
        mask = pose_masks(target.poses, self.frame, pose_mask_radius(self.frame)) * ~anyone[:, None, None, None]
        labels = target.labels.masked_fill(anyone[:, None, None], losses.UNLABELLED)
        layout = straight_through_one_hot(logits)
        layout = layout * share.gradient + layout.detach() * (1 - share.gradient)
        of_semantic = {"layout": share.layout * losses.parsing_cross_entropy(logits, labels, mask)}
        if share.overlap:
            of_semantic["overlap"] = share.overlap * losses.soft_iou_loss(logits, labels)
        return layout, of_semantic

    @torch.no_grad()
    def _predicted(self, semantic: nn.Module | None, source: PersonBatch, transfer: Transfer) -> Tensor:
        """One-hot maps (B, 10, H, W) that H_S predicts."""
        assert semantic is not None  # the command sees to it
        return one_hot(predict_parsing(semantic, source, transfer).argmax(1))  # type: ignore[arg-type]

    def losses(self, batch: SampledTransfers) -> tuple[dict[str, Tensor], Judged]:
        weights = self.config.weights
        a = augment(self._as_known(batch.persons("source", self.device)), batch.source_change)
        b = augment(self._as_known(batch.persons("target", self.device)), batch.target_change)
        layout_b, of_semantic = self._target_layout(a, b, batch)
        painted = self._paint(batch, a, b.poses, layout_b)
        adversarial, judged = self._adversarial_losses(painted)
        result = of_semantic | self._perceptual_losses(painted) | adversarial
        seen, asked = (
            _shrunk(painted.fakes, self.frozen.pose_shrink),
            downscale_poses(painted.poses, self.frozen.pose_shrink),
        )
        result["pose"] = 2 * weights.pose * detector_loss(self.frozen.pose, seen, asked)
        fake_b, second = painted.fakes.chunk(2)
        if weights.pixels:
            result["pixels"] = weights.pixels * F.l1_loss(second, painted.truth)
        if weights.own_face:
            result["own_face"] = weights.own_face * self._face_loss(painted)
        if weights.paste:
            pasted = painted.pasted
            result["paste"] = weights.paste * losses.warp_l1_loss(fake_b, pasted.image.detach(), pasted.confidence)
        return result, judged

    def _paint(self, batch: SampledTransfers, a: PersonBatch, poses_b: Tensor, layout_b: Tensor) -> _Painted:
        labels_b, layout_a = layout_b.argmax(1), a.one_hot()
        there = Transfer(a.poses, poses_b, self.frame)
        pasted = there.paste(a.images, a.labels, labels_b)
        fake_b = self._painter(self.model, a, there, layout_b, pasted)
        if self.config.own_view:
            goal = augment(self._as_known(batch.persons("source", self.device)), batch.own_change)
            shown = occlude(a, batch.concealment)
            second = self._painter(self.model, shown, Transfer(shown.poses, goal.poses, self.frame), goal.one_hot())
        else:
            goal = a
            b, back = PersonBatch(fake_b, labels_b, poses_b), Transfer(poses_b, a.poses, self.frame)
            second = self._painter(self.model, b, back, layout_a, source_parsing=layout_b)
        return _Painted(
            a,
            layout_a,
            torch.cat([layout_b, goal.one_hot()]),
            torch.cat([poses_b, goal.poses]),
            torch.cat([fake_b, second]).contiguous(memory_format=torch.channels_last),
            goal.images,
            pasted,
        )

    @property
    def _painter(self) -> Callable[..., Tensor]:
        """`paint`, or with ``hold`` what comes out in the end: so losses and scores see pictures."""
        return paint_color_corrected if self.config.hold else paint

    def _perceptual_losses(self, painted: _Painted) -> dict[str, Tensor]:
        """Content of the second picture against its truth; style of fake B against A, and of the second against B."""
        weights, shrink, own = self.config.weights, self.config.perceptual_shrink, self.config.own_view
        with torch.no_grad():
            real = self.frozen.perceptual(_shrunk(painted.a.images, shrink))
            truth = self.frozen.perceptual(_shrunk(painted.truth, shrink)) if own else real
        fake_b, second = self.frozen.perceptual(_shrunk(painted.fakes, shrink)).chunk(2)

        stride, by_area = self.config.style_stride, self.config.style_by_area
        maps = (painted.layout_a, *painted.layouts.chunk(2))
        masks_a, masks_b, masks_second = (losses.region_masks(layout, 2 * shrink) for layout in maps)

        def gram(features: Tensor, masks: Tensor) -> Tensor:
            features, masks = features[..., ::stride, ::stride], masks[..., ::stride, ::stride]
            return losses.gram_matrices(features, masks.to(features.dtype), by_area)

        of_fake_b = gram(fake_b, masks_b)
        style = losses.style_loss(of_fake_b, gram(real, masks_a), losses.shared_regions(masks_a, masks_b))
        shared = losses.shared_regions(masks_second, masks_b)
        style = style + losses.style_loss(gram(second, masks_second), of_fake_b, shared)
        content = losses.content_loss(second.float(), truth.float())
        return {"content": weights.content * content, "style": weights.style * style}

    def _adversarial_losses(self, painted: _Painted) -> tuple[dict[str, Tensor], Judged]:
        weights, side = self.config.weights, self.config.face_size
        a = painted.a
        pairs = torch.cat([painted.fakes, painted.layouts[:, 1:]], 1)
        faces = crop_faces(painted.fakes, painted.poses, side)
        judged = {
            "image": (torch.cat([a.images, painted.layout_a[:, 1:]], 1), pairs.detach()),
            "face": (crop_faces(a.images, a.poses, side), faces.detach()),
        }
        terms = {
            "adversarial": 2 * weights.adversarial * losses.gan_real_loss(self.critic(pairs)),
            "face": 2 * weights.face * losses.gan_real_loss(self.face_critic(faces)),
        }
        return terms, judged

    def _face_loss(self, painted: _Painted) -> Tensor:
        """L1 and content of the second picture's face: of the whole picture's pixels, a face has one in a hundred."""
        poses, side = painted.poses.chunk(2)[1], self.config.face_size
        found, true = (crop_faces(of, poses, side) for of in (painted.fakes.chunk(2)[1], painted.truth))
        with torch.no_grad():
            features = self.frozen.perceptual(true).float()
        return F.l1_loss(found, true) + losses.content_loss(self.frozen.perceptual(found).float(), features)

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        return losses.discriminator_losses(self.discriminators, judged)

    def _given_layout(
        self, networks: nn.ModuleDict, source: PersonBatch, target: PersonBatch, transfer: Transfer
    ) -> Tensor:
        """The target map (B, 10, H, W) that the variant has at test time; without H_S the true one."""
        semantic = networks["semantic"] if "semantic" in networks else self.frozen_networks.get("semantic")
        if self.config.variant in ("baseline", "ts-gt") or semantic is None:
            return target.one_hot()
        return self._predicted(semantic, source, transfer)

    def _tried(self, networks: nn.ModuleDict, pairs: Tensor) -> ValidationBatch:
        source, target = (self._as_known(self.held_out.batch(side, self.device)) for side in pairs.T)
        transfer = Transfer(source.poses, target.poses, self.frame)
        layout = self._given_layout(networks, source, target, transfer)
        pasted = transfer.paste(source.images, source.labels, layout.argmax(1))
        image = self._painter(networks["appearance"], source, transfer, layout, pasted)
        return ValidationBatch(source, target, layout.argmax(1), pasted.image, image)

    @torch.no_grad()
    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """Scores against the true photos of held-out people in the other pose, see `held_out.scores_of`.

        There is no mIoU for the baseline, which knows no maps.
        """
        frozen = self.frozen
        tried = (self._tried(networks, pairs) for pairs in self.pairs.split(16))
        scores = score_transfers(tried, frozen.pose, frozen.pose_shrink)
        if self.config.variant == "baseline":
            del scores["miou"]
        return scores

    @torch.no_grad()
    def draw_samples(self, networks: nn.ModuleDict) -> np.ndarray:
        """The same few held-out pairs as a picture, uint8 (H, W, 3)."""
        pairs = self.pairs[torch.linspace(0, len(self.pairs) - 1, min(8, len(self.pairs))).long()]
        return draw_transfers(self._tried(networks, pairs))


def _shrunk(images: Tensor, factor: int) -> Tensor:
    return F.avg_pool2d(images, factor).contiguous(memory_format=torch.channels_last)
