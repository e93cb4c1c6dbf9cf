"""Training of H_S on pseudo labels (SPT, section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, find_likeliest, straight_through_one_hot
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.transfer import Transfer
from pgen.body.viz import Picture, colorize_parsing, draw_sheet, draw_skeleton
from pgen.data.dataset import augment
from pgen.losses.cross_entropy import parsing_cross_entropy
from pgen.losses.gan import gan_real_loss
from pgen.losses.soft_iou import soft_iou_loss
from pgen.metrics.miou import count_intersection_and_union, mean_iou
from pgen.models.checkpointing import enable_gradient_checkpointing
from pgen.models.semantic import SemanticGenerator, predict_parsing
from pgen.training.config import SemanticTraining
from pgen.training.sampling import SampledPairs, sample_pairs
from pgen.training.tasks.base import Judged
from pgen.training.tasks.person_task import PersonTask, TaskData, spread_indices


class SemanticTask(PersonTask):
    """S → S*, the map of somebody else in another pose who wears the same kind of clothes."""

    name, role, score = "hs", "semantic", "miou"
    config: SemanticTraining
    model: SemanticGenerator

    def __init__(self, config: SemanticTraining, data: TaskData, pairs: Tensor, matches: Tensor) -> None:
        """Held-out pairs (M, 2) are to be scored; ``matches`` are pseudo labels (N, K) of the training images."""
        super().__init__(config, data, {"semantic": config.discriminator} if config.adversarial else {})
        self.held_out_indices, self.matches = pairs, matches
        if config.gradient_checkpointing:
            enable_gradient_checkpointing(self.networks)

    def start_from(self, model: nn.Module) -> None:
        """Begin with the weights of another H_S. Raises RuntimeError if its sizes differ."""
        self.model.load_state_dict(model.state_dict())

    def sample(self, rng: torch.Generator) -> SampledPairs:
        shares = self.config.back_translation_prob, self.config.self_pair_prob
        return sample_pairs(self.train, self.matches, self.schedule, rng, *shares)

    def losses(self, batch: SampledPairs) -> tuple[dict[str, Tensor], Judged]:
        source = augment(batch.persons("source", self.device), batch.source_change)
        target = augment(batch.persons("target", self.device), batch.target_change)
        weights = batch.weigh("target", self.config.estimated_weight, self.device)
        if self.config.back_translation_prob:
            goes_back = batch.has_random_pose.to(self.device)
            source, target = self._translate_back(source, target, goes_back)
            own = batch.weigh("source", self.config.estimated_weight, self.device)
            if weights is not None and own is not None:  # the truth of who goes back is their own map
                weights = torch.where(goes_back, own, weights)
        mask = pose_masks(target.poses, self.frame, pose_mask_radius(self.frame))
        logits = predict_parsing(self.model, source, Transfer(source.poses, target.poses, self.frame))
        terms, judged = {"cross_entropy": parsing_cross_entropy(logits, target.labels, mask, weights)}, {}
        if self.config.soft_iou:
            terms["soft_iou"] = self.config.soft_iou * soft_iou_loss(logits, target.labels, weights=weights)
        if self.config.adversarial:
            fake = torch.cat([straight_through_one_hot(logits), mask], 1)
            terms["adversarial"] = self.config.adversarial * gan_real_loss(self.discriminators["semantic"](fake))
            judged["semantic"] = torch.cat([target.one_hot(), mask], 1), fake.detach()
        return terms, judged

    @torch.no_grad()
    def _translate_back(
        self, source: PersonBatch, target: PersonBatch, which: Tensor
    ) -> tuple[PersonBatch, PersonBatch]:
        """``source`` and ``target``, but where ``which``, bool (B,): from the map in the target's pose to the source.

        That map is H_S's own prediction. What comes back is the same person's in another pose, and its truth is known:
        pseudo labels, which are other people's, cannot teach what a person keeps of their own. (Back-translation, as of
        languages without parallel texts; what comes back teaches nothing about the way there.)
        """
        if not which.any():
            return source, target
        there = Transfer(source.poses[which], target.poses[which], self.frame)
        labels, poses = source.labels.clone(), source.poses.clone()
        device = self.device.type
        # Weights that are cast here get no gradient, and older versions of torch would keep them for what follows.
        with torch.autocast(device, enabled=torch.is_autocast_enabled(device), cache_enabled=False):
            labels[which] = find_likeliest(predict_parsing(self.model, source[which], there))
        poses[which] = there.target
        goal = PersonBatch(target.images, source.labels, source.poses).where(which, target)
        return PersonBatch(source.images, labels, poses), goal

    @torch.no_grad()
    def compute_scores(self, networks: nn.ModuleDict, indices: Tensor) -> dict[str, float]:
        """mIoU over the ten labels against the true map of the same person in the other pose; and of copying."""
        counts = []  # of the prediction and of the source's map, left as it is
        for pairs in indices.split(32):
            source, target = (self.held_out.batch(side, self.device) for side in pairs.T)
            logits = predict_parsing(networks["semantic"], source, self.held_out.transfer(pairs, self.device))  # type: ignore[arg-type]
            both = (find_likeliest(logits), source.labels)
            counts.append(torch.stack([count_intersection_and_union(one, target.labels).sum(0) for one in both]))
        predicted, copied = mean_iou(torch.stack(counts).sum(0)).tolist()
        return {"miou": predicted, "miou_of_copying": copied}

    @torch.no_grad()
    def draw_samples(self, networks: nn.ModuleDict) -> Picture:
        """Held-out people: the source's map, the pose asked for, the map predicted and the true one."""
        rows = []
        for pair in self.held_out_indices[spread_indices(len(self.held_out_indices))]:
            source, target = (self.held_out.batch(side[None], self.device) for side in pair)
            logits = predict_parsing(networks["semantic"], source, self.held_out.transfer(pair[None], self.device))  # type: ignore[arg-type]
            found = find_likeliest(logits)
            maps = [colorize_parsing(ids[0].cpu().numpy()) for ids in (source.labels, found, target.labels)]
            skeleton = draw_skeleton(self.frame, target.poses[0].cpu().numpy())
            captions = (self.held_out.names[int(pair[0])], "pose", "predicted", "true")
            rows.append(list(zip(captions, (maps[0], skeleton, *maps[1:]), strict=True)))
        return draw_sheet(rows)
