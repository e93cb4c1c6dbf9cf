"""Training of H_A: A → B's pose → back to A (SPT, section 3.2), with H_S frozen or end to end (section 3.4)."""

from __future__ import annotations

import copy
from functools import partial

import torch
from torch import Tensor, nn

from pgen.body.batch import (
    PersonBatch,
    find_likeliest,
    one_hot,
    replace_parsing_by_pose_masks,
    straight_through_one_hot,
)
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.paste import remove_carried
from pgen.body.transfer import Transfer
from pgen.body.viz import Picture
from pgen.data.dataset import StoredBatch, augment
from pgen.losses.cross_entropy import IGNORED_LABEL
from pgen.models.appearance import AppearanceGenerator, TwoLevelAppearanceGenerator, paint
from pgen.models.checkpointing import enable_gradient_checkpointing, run_checkpointed
from pgen.models.semantic import SemanticGenerator, predict_parsing
from pgen.training.augment.self_reconstruction import occlude
from pgen.training.config import AppearanceTraining, Growth
from pgen.training.held_out import ValidationBatch, draw_transfers, score_transfers
from pgen.training.sampling import SampledPairs, sample_pairs
from pgen.training.tasks.appearance_objective import FrozenNetworks, Generated, ParsingPrediction, weigh_terms
from pgen.training.tasks.base import Judged
from pgen.training.tasks.person_task import PersonTask, TaskData, spread_indices


def needs_semantic(config: AppearanceTraining) -> bool:
    """Whether a training of this kind uses H_S."""
    return config.variant == "e2e" or (config.variant == "ts-pred" and config.random_pose_prob > 0)


def needs_parser(config: AppearanceTraining) -> bool:
    """Whether a training of this kind asks a parser what it sees in pictures."""
    is_gate = config.variant == "e2e" and config.end_to_end.only_where_doubted
    return is_gate or config.weights.get("parsed_map", 0) > 0


class AppearanceTask(PersonTask):
    """A → fake B → fake A, or → another crop of A, with all losses of H_A, in the four variants of the ablation."""

    name, role, score = "joint", "appearance", "spt_mask_ssim"
    config: AppearanceTraining
    model: AppearanceGenerator

    def __init__(
        self, config: AppearanceTraining, data: TaskData, pairs: Tensor, matches: Tensor, frozen: FrozenNetworks
    ) -> None:
        """Held-out pairs (M, 2) are to be scored; ``matches`` are pseudo labels (N, K) of the training images."""
        image, face = (
            ("image", "adversarial", config.discriminator),
            ("face", "face_adversarial", config.face_discriminator),
        )
        super().__init__(config, data, {name: sizes for name, term, sizes in (image, face) if config.weights[term]})
        self.held_out_indices, self.matches, self.frozen, self.growth = pairs, matches, frozen, config.growth
        # With color correction losses and scores see pictures as they are in the end.
        self.paint = partial(
            run_checkpointed,
            partial(paint, correct_colors=config.color_correction),
            is_kept=not config.gradient_checkpointing,
        )
        if config.variant == "e2e":
            assert frozen.semantic is not None  # who builds it sees to it
            self.networks["semantic"] = copy.deepcopy(frozen.semantic).train().requires_grad_(True)
            if config.gradient_checkpointing:
                enable_gradient_checkpointing(self.networks["semantic"])
            self.lr_factors = {"semantic": config.end_to_end.lr_factor}
        elif config.variant != "baseline" and frozen.semantic is not None:
            self.frozen_networks = {"semantic": frozen.semantic}

    def start_from(self, model: nn.Module) -> None:
        """Begin with the weights of ``model``: the same H_A, or a one-level one, which becomes the global network.

        One of two levels has grown, and does not grow again. Raises RuntimeError if the sizes differ.
        """
        mine: nn.Module = self.model
        if isinstance(model, TwoLevelAppearanceGenerator) and model.fade_in == 1:
            self.growth = Growth()
        if isinstance(mine, TwoLevelAppearanceGenerator) and not isinstance(model, TwoLevelAppearanceGenerator):
            mine = mine.coarse
        mine.load_state_dict(model.state_dict())

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        """Before ``step``: how far the local network of a two-level H_A has faded in, and what is frozen."""
        if not isinstance(self.model, TwoLevelAppearanceGenerator):
            return
        growth = self.growth
        for model in (self.model, ema["appearance"]):
            model.fade_in = growth.alpha(step)  # type: ignore[assignment]
        # What the image does not depend on gets no gradient, and is not waited for.
        alpha, coarse = growth.alpha(step), self.model.coarse
        self.model.requires_grad_(alpha > 0)
        coarse.requires_grad_(not growth.is_coarse_frozen(step))
        if alpha == 1:
            coarse.to_image.requires_grad_(False)

    def sample(self, rng: torch.Generator) -> SampledPairs:
        random_pose_prob = self.config.random_pose_prob if needs_semantic(self.config) else 0.0
        return sample_pairs(self.train, self.matches, self.schedule, rng, random_pose_prob)

    def losses(self, batch: SampledPairs) -> tuple[dict[str, Tensor], Judged]:
        a = augment(self._prepare_persons(batch.photos["source"]), batch.source_change)
        b = augment(self._prepare_persons(batch.photos["target"]), batch.target_change)
        parsing_b, prediction = self._find_target_parsing(a, b, batch.has_random_pose.to(self.device))
        generated = self._generate(batch, a, b.poses, parsing_b, prediction)
        judged = {name: generated.judged[name] for name in self.discriminators}
        terms = weigh_terms(generated, self.config.weights)
        return terms, {name: (real, fake.detach()) for name, (real, fake) in judged.items()}

    def _prepare_persons(self, stored: StoredBatch) -> PersonBatch:
        """The people as the variant knows them, without what they carry: the baseline has no parsing maps."""
        persons = stored.to(self.device)
        if stored.masks is not None and (carried := stored.masks[:, 0] == 1).any():
            persons.images = remove_carried(persons.images, persons.labels, carried.to(self.device))
        return replace_parsing_by_pose_masks(persons) if self.config.variant == "baseline" else persons

    def _find_target_parsing(
        self, a: PersonBatch, b: PersonBatch, has_random_pose: Tensor
    ) -> tuple[Tensor, ParsingPrediction | None]:
        """Target maps (B, 10, H, W), and end to end how well H_S does.

        H_S's prediction where the pose is anyone's, the pseudo label's own map for the others; end to end always H_S's,
        whose cross entropy against the pseudo labels is then a loss.
        """
        where = has_random_pose[:, None, None]
        if not needs_semantic(self.config):
            return b.one_hot(), None
        transfer = Transfer(a.poses, b.poses, self.frame)
        if self.config.variant == "ts-pred":
            predicted = self._predict_parsing(self.frozen.semantic, a, transfer)
            return torch.where(where[:, None], predicted, b.one_hot()), None
        semantic = self.networks["semantic"]
        assert isinstance(semantic, SemanticGenerator)
        logits = predict_parsing(semantic, a, transfer)
        parsing, share = straight_through_one_hot(logits), self.config.end_to_end.gradient_scale
        mask = pose_masks(b.poses, self.frame, pose_mask_radius(self.frame)) * ~where[:, None]
        prediction = ParsingPrediction(logits, b.labels.masked_fill(where, IGNORED_LABEL), mask)
        return parsing * share + parsing.detach() * (1 - share), prediction

    @torch.no_grad()
    def _predict_parsing(self, semantic: nn.Module | None, source: PersonBatch, transfer: Transfer) -> Tensor:
        """One-hot maps (B, 10, H, W) that H_S predicts."""
        assert semantic is not None  # who builds it sees to it
        return one_hot(find_likeliest(predict_parsing(semantic, source, transfer)))  # type: ignore[arg-type]

    def _generate(
        self,
        batch: SampledPairs,
        a: PersonBatch,
        poses_b: Tensor,
        parsing_b: Tensor,
        prediction: ParsingPrediction | None,
    ) -> Generated:
        labels_b = find_likeliest(parsing_b)
        there = Transfer(a.poses, poses_b, self.frame)
        paste = there.paste(a.images, a.labels, labels_b)
        fake_b = self.paint(self.model, a, there, parsing_b, paste)
        if self.config.self_reconstruction:
            goal = augment(self._prepare_persons(batch.photos["source"]), batch.second_change)
            part = occlude(a, batch.occlusion)
            second = self.paint(self.model, part, Transfer(part.poses, goal.poses, self.frame), goal.one_hot())
        else:
            goal = a
            b, back = PersonBatch(fake_b, labels_b, poses_b), Transfer(poses_b, a.poses, self.frame)
            second = self.paint(self.model, b, back, a.one_hot(), source_parsing=parsing_b)
        generated = Generated(
            a,
            torch.cat([parsing_b, goal.one_hot()]),
            torch.cat([poses_b, goal.poses]),
            torch.cat([fake_b, second]).contiguous(memory_format=torch.channels_last),
            goal.images,
            paste,
            prediction,
            self.config,
            self.frozen,
            self.discriminators,
        )
        if parsing_b.requires_grad and self.config.end_to_end.only_where_doubted:
            with torch.set_grad_enabled(self.config.weights.get("parsed_map", 0) > 0):  # that term looks at it, too
                is_doubted = find_likeliest(generated.parsed) != labels_b
            parsing_b.register_hook(lambda gradient: gradient * is_doubted[:, None])
        return generated

    def _generate_pairs(self, networks: nn.ModuleDict, pairs: Tensor) -> ValidationBatch:
        source, target = (self._prepare_persons(self.held_out.load(side)) for side in pairs.T)
        transfer = self.held_out.transfer(pairs, self.device)
        semantic = networks["semantic"] if "semantic" in networks else self.frozen_networks.get("semantic")
        if self.config.variant == "ts-gt" or semantic is None:  # the variant has the true map at test time
            parsing = target.one_hot()
        else:
            parsing = self._predict_parsing(semantic, source, transfer)
        labels = find_likeliest(parsing)
        paste = transfer.paste(source.images, source.labels, labels)
        image = self.paint(networks["appearance"], source, transfer, parsing, paste)
        return ValidationBatch(source, target, labels, paste.image, image)

    @torch.no_grad()
    def compute_scores(self, networks: nn.ModuleDict, indices: Tensor) -> dict[str, float]:
        """Scores against the true photos of held-out people in the other pose, see `score_transfers`.

        There is no mIoU for the baseline, which knows no maps.
        """
        frozen = self.frozen
        batches = (self._generate_pairs(networks, pairs) for pairs in indices.split(16))
        scores = score_transfers(batches, frozen.pose, frozen.pose_downscale)
        if self.config.variant == "baseline":
            del scores["miou"]
        return scores

    @torch.no_grad()
    def draw_samples(self, networks: nn.ModuleDict) -> Picture:
        """The same few held-out pairs as a picture, uint8 (H, W, 3)."""
        shown = self.held_out_indices[spread_indices(len(self.held_out_indices), 8)]
        return draw_transfers(self._generate_pairs(networks, shown))
