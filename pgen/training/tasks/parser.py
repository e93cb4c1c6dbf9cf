"""Training of the parser on photos, and on synthetic people, much varied, with joints and silhouettes as estimated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, find_likeliest, to_pictures
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.viz import Picture, colorize_parsing, draw_sheet
from pgen.data.dataset import PhotoExtras, StoredBatch, augment
from pgen.data.weights import load_trunk_state
from pgen.losses.carried import carried_loss
from pgen.losses.cross_entropy import parsing_cross_entropy
from pgen.losses.soft_iou import soft_iou_loss
from pgen.metrics.miou import count_intersection_and_union, mean_iou
from pgen.models.parser import FRAME_UNIT, Parser, ParserInput
from pgen.training.augment.annotation_noise import perturb_poses, perturb_silhouettes
from pgen.training.augment.batch_rng import BatchRng
from pgen.training.augment.domain_randomization import (
    crop_randomly,
    crop_whole,
    photometric_distort,
    recolor_garments,
    replace_background,
    spoil_photos,
)
from pgen.training.augment.random_neckline import randomize_necklines
from pgen.training.config import ParserTraining
from pgen.training.sampling import SampledPhotos, sample_photos
from pgen.training.tasks.base import Judged
from pgen.training.tasks.person_task import PersonTask, TaskData, spread_indices

#: How many held-out photos of a file the scores at intervals are taken over.
_VALIDATION_PHOTOS = 64

# Shares of samples, of rendered people and of photos, in other clothes and before other backgrounds; of the rest in
# other light; and with another neckline, where they can. They make what is learnt from rendered people hold on photos,
# which are what they are; without some that are as they were, the parser would learn the fine points of none.
_REPLACED, _DISTORTED, _NECKLINES = (0.6, 0.12), (0.5, 0.6), (0.35, 0.0)

_SPOILED = 0.22  # share of samples that are as poor cameras take them

# Where pose and silhouette are estimates: share of samples that keep their joints, and their silhouette. And the share
# of carried things that a silhouette takes in which stands in for an estimate.
_OWN_POSE, _OWN_SILHOUETTE, _HELD = 0.5, 0.75, 0.7

# Channels of pictures on their way, which change together: colors, what is carried, the silhouette.
_COLORS, _CARRIED, _SILHOUETTE = slice(0, 3), slice(3, 4), slice(4, 5)

_SMALL = 2 / 3  # of a frame's size, what is seen while that is enough

_CARRIED_COLOR = (255, 0, 200)


@dataclass
class ParsingTruth:
    """What B photos show, at half their size."""

    labels: Tensor  #: long (B, H/2, W/2), ids 0–9
    carried: Tensor  #: bool (B, H/2, W/2): a thing that is carried
    knows_carried: Tensor  #: bool (B,)


class ParserTask(PersonTask):
    """Photo, joints and silhouette → parsing map, and things that are carried."""

    name, role, score = "parser", "parser", "miou"
    config: ParserTraining
    model: Parser

    def __init__(self, config: ParserTraining, data: TaskData) -> None:
        """``data`` are with masks, see `PersonDataset`."""
        super().__init__(config, data)
        self.model.trunk.load_state_dict(load_trunk_state())
        self._is_small = False
        self.lr_factors = {"parser.trunk": config.tuned_lr_factor} if config.network.tuned else {}

    def start_from(self, model: nn.Module) -> None:
        """Begin with the weights of another parser, whose network may be smaller.

        What it lacks begins as nothing is changed by it: convolutions that are added pass on what came in. Raises
        RuntimeError if a network of its sizes cannot become this one.
        """
        state, given = self.model.state_dict(), model.state_dict()
        for name in state.keys() - given.keys():
            if name.endswith("1.weight") and state[name].ndim == 1:  # a normalization; at 0 nothing would learn
                state[name] = torch.full_like(state[name], 0.05)
        for name, value in given.items():
            if name.startswith("to_logits") and len(value) < len(state[name]):
                value = torch.cat([value, torch.zeros_like(state[name][len(value) :])])
            state[name] = value
        self.model.load_state_dict(state)

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        """Before ``step``: whether it sees photos at a smaller size."""
        self._is_small = step < self.config.small_steps

    def sample(self, rng: torch.Generator) -> SampledPhotos:
        return sample_photos(self.train, self.schedule, rng, with_others=True)

    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        inputs, truth = self.randomize(batch)
        if self._is_small:
            inputs, truth = shrink(inputs, truth)
        found = self.model(inputs)
        logits, config = found[:, :LABEL_COUNT], self.config
        weights = batch.weigh("source", config.estimated_weight, self.device)
        terms = {"cross_entropy": parsing_cross_entropy(logits, truth.labels, weights=weights)}
        if config.soft_iou:
            terms["soft_iou"] = config.soft_iou * soft_iou_loss(logits, truth.labels, over_batch=True, weights=weights)
        if config.network.carried and config.carried:
            terms["carried"] = config.carried * carried_loss(found[:, LABEL_COUNT], truth.carried, truth.knows_carried)
        return terms, {}

    @torch.no_grad()
    def randomize(self, batch: SampledPhotos) -> tuple[ParserInput, ParsingTruth]:
        """What the parser is trained on: photos as they may come, and what they show."""
        rng = BatchRng(batch.noise, self.device)
        with torch.autocast(self.device.type, enabled=False):
            persons, extras = self._stack(batch.photos["source"])
            persons = augment(persons, batch.source_change)
            others = batch.persons("other", self.device).images * 0.5 + 0.5
            images, labels = persons.images, persons.labels

            def choose(shares: tuple[float, float]) -> Tensor:
                return rng.uniform(0, 1) < torch.where(extras.is_rendered, *shares)

            which = choose(_NECKLINES)
            if which.any():
                some = PersonBatch(images[which, _COLORS], labels[which], persons.poses[which])
                changed = randomize_necklines(some, rng.select(which))
                images[which, _COLORS], labels[which] = changed.images, changed.labels
            replaced = choose(_REPLACED)
            if replaced.any():
                chosen = rng.select(replaced)
                figures = labels.masked_fill(images[:, 3] > 0.5, Label.UPPER)[replaced]
                recolored = recolor_garments(images[replaced, _COLORS], labels[replaced], chosen)
                images[replaced, _COLORS] = replace_background(recolored, figures, others[replaced], chosen)
            persons = crop_randomly(persons, rng)
            photos = persons.images[:, _COLORS]
            is_distorted, is_spoiled = replaced | choose(_DISTORTED), rng.chance(_SPOILED)
            for which, change in ((is_distorted, photometric_distort), (is_spoiled, spoil_photos)):
                if which.any():
                    photos[which] = change(photos[which], rng.select(which))
            return _estimate_inputs(persons, extras, rng, is_training=True)

    def _stack(self, stored: StoredBatch) -> tuple[PersonBatch, PhotoExtras]:
        """People whose images (B, 5, H, W), in [0, 1], are colors, what is carried and silhouettes; and extras."""
        persons, extras = stored.to(self.device), stored.extras(self.device)
        images = torch.cat([persons.images * 0.5 + 0.5, extras.carried, extras.silhouettes], 1)
        return PersonBatch(images, persons.labels, persons.poses), extras

    def _find_held_out_inputs(self, indices: Tensor) -> tuple[ParserInput, ParsingTruth]:
        """Held-out photos with estimates, the same each time, and what they show."""
        persons, extras = self._stack(self.held_out.load(indices))
        return _estimate_inputs(crop_whole(persons), extras, BatchRng(indices, self.device), is_training=False)

    @torch.no_grad()
    def compute_scores(self, networks: nn.ModuleDict, indices: Tensor) -> dict[str, float]:
        """mIoU over the ten labels on held-out photos, with inputs as if estimated; IoU of what is carried."""
        counts, of_carried = [], torch.zeros(3)
        chosen = torch.linspace(0, len(indices) - 1, min(len(indices), _VALIDATION_PHOTOS)).long()
        for some in indices[chosen].split(16):
            inputs, truth = self._find_held_out_inputs(some)
            found = networks["parser"](inputs)
            counts.append(count_intersection_and_union(find_likeliest(found[:, :LABEL_COUNT]), truth.labels))
            for things in found[:, LABEL_COUNT:].unbind(1):
                things, known = things > 0, truth.knows_carried[:, None, None]
                areas = truth.carried, things & truth.carried, (things | truth.carried) & known
                of_carried += torch.stack([area.sum() for area in areas]).cpu()
        scores = {"miou": mean_iou(torch.cat(counts).sum(0)).item()}
        return scores | ({"carried_iou": float(of_carried[1] / of_carried[2])} if of_carried[0] else {})

    @torch.no_grad()
    def draw_samples(self, networks: nn.ModuleDict) -> Picture:
        """Held-out photos, each with the silhouette given, the map found and the true one; and training photos."""
        rows = []
        for index in spread_indices(len(self.held_out)):
            inputs, truth = self._find_held_out_inputs(torch.tensor([index]))
            rows.append(_draw_row(self.held_out.names[index], inputs, networks["parser"](inputs), truth))
        batch = self.sample(torch.Generator().manual_seed(0))[:2].load(self.train)
        for k in range(len(batch)):
            inputs, truth = self.randomize(batch[k : k + 1])
            rows.append(_draw_row(f"{batch.names[k]} in training", inputs, networks["parser"](inputs), truth))
        return draw_sheet(rows)


def shrink(inputs: ParserInput, truth: ParsingTruth) -> tuple[ParserInput, ParsingTruth]:
    """The same photos at two thirds of their size, and what they show at half of that."""
    size = inputs.images.shape[2:]
    height, width = (max(1, round(_SMALL * side / FRAME_UNIT)) * FRAME_UNIT for side in size)
    images, silhouettes = (F.interpolate(x, (height, width), mode="area") for x in (inputs.images, inputs.silhouettes))
    scale = inputs.poses.new_tensor([width / size[1], height / size[0]])
    poses = (inputs.poses + 0.5) * scale - 0.5
    half = (height // 2, width // 2)
    labels, carried = (
        F.interpolate(x[:, None].float(), half, mode="nearest-exact")[:, 0].to(x.dtype)
        for x in (truth.labels, truth.carried)
    )
    small = ParserInput(images, poses, silhouettes, inputs.has_silhouette)
    return small, ParsingTruth(labels, carried, truth.knows_carried)


def _estimate_inputs(
    persons: PersonBatch, extras: PhotoExtras, rng: BatchRng, is_training: bool
) -> tuple[ParserInput, ParsingTruth]:
    """Joints and silhouettes of ``persons`` (stacked, labels at half the size) as if estimated, or as they were."""
    images, labels = persons.images, persons.labels
    own_pose, own_silhouette, held = (_OWN_POSE, _OWN_SILHOUETTE, _HELD) if is_training else (1.0, 1.0, 1.0)
    carried = F.avg_pool2d(images[:, _CARRIED], 2)[:, 0] > 0.5
    is_own = extras.has_silhouette & rng.chance(own_pose)
    poses = torch.where(is_own[:, None, None], persons.poses, perturb_poses(persons.poses, rng))
    figures = (labels > 0) | (carried & rng.chance(held)[:, None, None])
    silhouettes, there = perturb_silhouettes(figures, rng)
    silhouettes = F.interpolate(silhouettes, size=persons.images.shape[2:], mode="bilinear", align_corners=False)
    is_own = extras.has_silhouette & rng.chance(own_silhouette)
    silhouettes = torch.where(is_own[:, None, None, None], images[:, _SILHOUETTE], silhouettes)
    there = there if is_training else there | is_own
    truth = ParsingTruth(labels, carried, extras.knows_carried)
    return ParserInput(images[:, _COLORS] * 2 - 1, poses, silhouettes, there), truth


def _draw_row(name: str, inputs: ParserInput, found: Tensor, truth: ParsingTruth) -> list[tuple[str, Picture]]:
    silhouette = inputs.silhouettes.expand(-1, 3, -1, -1) * inputs.has_silhouette[:, None, None, None]
    maps = [colorize_parsing(ids[0].cpu().numpy()) for ids in (find_likeliest(found[:, :LABEL_COUNT]), truth.labels)]
    if found.shape[1] > LABEL_COUNT:
        for drawn, carried in zip(maps, (found[:, LABEL_COUNT] > 0, truth.carried), strict=True):
            drawn[carried[0].cpu().numpy()] = _CARRIED_COLOR
    pictures = (to_pictures(inputs.images)[0], to_pictures(silhouette * 2 - 1)[0], *maps)
    return list(zip((name, "silhouette", "found", "true"), pictures, strict=True))
