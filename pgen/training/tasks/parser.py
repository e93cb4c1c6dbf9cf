"""Training of the parser on synthetic people, much varied, with joints and silhouettes as if estimated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, to_pictures
from pgen.body.viz import Picture, colorize_parsing, draw_sheet
from pgen.data.dataset import augment
from pgen.data.pretrained import load_trunk_state
from pgen.losses.soft_iou import soft_iou_loss
from pgen.metrics.miou import count_intersection_and_union, mean_iou
from pgen.models.parser import Parser, ParserInput
from pgen.training.augment.annotation_noise import perturb_poses, perturb_silhouettes
from pgen.training.augment.batch_rng import BatchRng
from pgen.training.augment.domain_randomization import (
    crop_randomly,
    crop_whole,
    photometric_distort,
    recolor_garments,
    replace_background,
)
from pgen.training.augment.random_neckline import randomize_necklines
from pgen.training.config import ParserTraining
from pgen.training.sampling import SampledPhotos, sample_photos
from pgen.training.tasks.base import Judged
from pgen.training.tasks.person_task import PersonTask, TaskData, spread_indices

#: How many held-out photos the scores at intervals are taken over.
_VALIDATION_PHOTOS = 64

# Share of samples in other clothes and before other backgrounds, and share of the rest in other light. They make the
# parser work on real photos; without some that are as they were, it would learn the fine points of none.
_REPLACED, _DISTORTED = 0.6, 0.5

_NECKLINES = 0.35  # share of samples that get another neckline, where they can


class ParserTask(PersonTask):
    """Photo, joints and silhouette → parsing map."""

    name, role, score = "parser", "parser", "miou"
    config: ParserTraining
    model: Parser

    def __init__(self, config: ParserTraining, data: TaskData) -> None:
        super().__init__(config, data)
        self.model.trunk.load_state_dict(load_trunk_state())

    def sample(self, rng: torch.Generator) -> SampledPhotos:
        return sample_photos(self.train, self.schedule, rng, with_others=True)

    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        inputs, labels = self.randomize(batch)
        logits = self.model(inputs)
        terms = {"cross_entropy": F.cross_entropy(logits, labels)}
        if self.config.soft_iou:
            terms["soft_iou"] = self.config.soft_iou * soft_iou_loss(logits, labels, over_batch=True)
        return terms, {}

    @torch.no_grad()
    def randomize(self, batch: SampledPhotos) -> tuple[ParserInput, Tensor]:
        """What the parser is trained on: photos as they may come, and their labels (B, H/2, W/2)."""
        rng = BatchRng(batch.noise, self.device)
        with torch.autocast(self.device.type, enabled=False):
            persons = augment(batch.persons("source", self.device), batch.source_change)
            others = batch.persons("other", self.device).images * 0.5 + 0.5
            persons = PersonBatch(persons.images * 0.5 + 0.5, persons.labels, persons.poses)
            images, labels = persons.images, persons.labels
            which = rng.chance(_NECKLINES)
            if which.any():
                changed = randomize_necklines(persons[which], rng.select(which))
                images[which], labels[which] = changed.images, changed.labels
            replaced = rng.chance(_REPLACED)
            if replaced.any():
                some = rng.select(replaced)
                recolored = recolor_garments(images[replaced], labels[replaced], some)
                images[replaced] = replace_background(recolored, labels[replaced], others[replaced], some)
            persons = crop_randomly(persons, rng)
            distorted = replaced | rng.chance(_DISTORTED)
            if distorted.any():
                persons.images[distorted] = photometric_distort(persons.images[distorted], rng.select(distorted))
            persons.images = persons.images * 2 - 1
            return _estimate_inputs(persons, rng), persons.labels

    def _find_held_out_inputs(self, indices: Tensor) -> tuple[ParserInput, Tensor]:
        """Held-out photos with estimates, the same each time, and their labels (B, H/2, W/2)."""
        persons = crop_whole(self.held_out.batch(indices, self.device))
        return _estimate_inputs(persons, BatchRng(indices, self.device)), persons.labels

    @torch.no_grad()
    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """mIoU over the ten labels on held-out photos, with joints and silhouettes as if estimated."""
        counts = []
        chosen = torch.linspace(0, len(self.held_out) - 1, min(len(self.held_out), _VALIDATION_PHOTOS)).long()
        for indices in chosen.split(16):
            inputs, labels = self._find_held_out_inputs(indices)
            counts.append(count_intersection_and_union(networks["parser"](inputs).argmax(1), labels))
        return {"miou": mean_iou(torch.cat(counts).sum(0)).item()}

    @torch.no_grad()
    def draw_samples(self, networks: nn.ModuleDict) -> Picture:
        """Held-out photos, each with the silhouette given, the map found and the true one; and training photos."""
        rows = []
        for index in spread_indices(len(self.held_out)):
            inputs, labels = self._find_held_out_inputs(torch.tensor([index]))
            rows.append(_draw_row(self.held_out.names[index], inputs, networks["parser"](inputs), labels))
        batch = self.sample(torch.Generator().manual_seed(0))[:2].load(self.train)
        for k in range(len(batch)):
            inputs, labels = self.randomize(batch[k : k + 1])
            rows.append(_draw_row(f"{batch.names[k]} in training", inputs, networks["parser"](inputs), labels))
        return draw_sheet(rows)


def _estimate_inputs(persons: PersonBatch, rng: BatchRng) -> ParserInput:
    """``persons`` whose labels are at half the size, with joints and silhouettes as if estimated."""
    silhouettes, there = perturb_silhouettes(persons.labels > 0, rng)
    silhouettes = F.interpolate(silhouettes, size=persons.images.shape[2:], mode="bilinear", align_corners=False)
    return ParserInput(persons.images, perturb_poses(persons.poses, rng), silhouettes, there)


def _draw_row(name: str, inputs: ParserInput, logits: Tensor, labels: Tensor) -> list[tuple[str, Picture]]:
    silhouette = inputs.silhouettes.expand(-1, 3, -1, -1) * inputs.has_silhouette[:, None, None, None]
    maps = [colorize_parsing(ids[0].cpu().numpy()) for ids in (logits.argmax(1), labels)]
    pictures = (to_pictures(inputs.images)[0], to_pictures(silhouette * 2 - 1)[0], *maps)
    return list(zip((name, "silhouette", "found", "true"), pictures, strict=True))
