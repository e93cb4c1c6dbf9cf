"""Training of the parser on synthetic people in many disguises, with joints and silhouettes as if estimated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.labels import LABEL_COUNT
from pgen.body.viz import Picture, colour_parsing, sheet
from pgen.data.dataset import Sampler, augmented
from pgen.data.trunk import trunk_state
from pgen.losses.losses import overlap_loss
from pgen.models.inputs import Views
from pgen.models.parser import Parser, ParserInput
from pgen.training.augment.annotation_noise import estimated_poses, estimated_silhouettes
from pgen.training.augment.batch_rng import Dice
from pgen.training.augment.domain_randomization import framed, photographed, placed, redressed, whole
from pgen.training.augment.random_neckline import recut
from pgen.training.config import ParserTraining
from pgen.training.sampling import BackedDraw, draw_backed
from pgen.training.similarity import as_bytes
from pgen.training.tasks.semantic import intersection_and_union, mean_iou
from pgen.training.tasks.supervised import SupervisedStage, shown

#: How many held-out photos the scores at intervals are taken over.
_VALIDATION_PHOTOS = 64

# Share of samples in other clothes and before other grounds, and share of the rest in other light. They make the parser
# hold on real photos; without some that are as they were, it would learn the fine points of none.
_MASKED, _PHOTOGRAPHED = 0.6, 0.5

# Share of samples that get another neckline, where they can.
_RECUT = 0.35


class ParserStage(SupervisedStage):
    """Photo, joints and silhouette → parsing map."""

    name, score = "parser", "miou"

    def __init__(
        self,
        config: ParserTraining,
        train: Sampler,
        held_out: Sampler,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        torch.manual_seed(seed)
        self.config, self.parser = config, Parser(config.network)
        self.parser.trunk.load_state_dict(trunk_state())
        super().__init__(self.parser, config.schedule, train, held_out, device)

    def draw(self, generator: torch.Generator) -> BackedDraw:
        return draw_backed(self.train, self.schedule, generator)

    def generator_losses(self, draw: BackedDraw) -> dict[str, Tensor]:
        inputs, labels = self.disguised(draw)
        logits = self.parser(inputs)
        return {
            "labels": F.cross_entropy(logits, labels),
            "overlap": self.config.overlap * overlap_loss(logits, labels, together=True),
        }

    @torch.no_grad()
    def disguised(self, draw: BackedDraw) -> tuple[ParserInput, Tensor]:
        """What the parser is trained on: photos as they may come, and their labels (B, H/2, W/2)."""
        dice = Dice(draw.noise, self.device)
        with torch.autocast(self.device.type, enabled=False):
            views = augmented(self.train.views(draw.source, self.device), draw.source_change)
            others = self.train.views(draw.other, self.device).images * 0.5 + 0.5
            views.images = views.images * 0.5 + 0.5
            views = _some_recut(views, dice)
            images = views.images
            masked = dice.chance(_MASKED)
            if masked.any():
                some, labels = dice.some(masked), views.labels[masked]
                images[masked] = placed(redressed(images[masked], labels, some), labels, others[masked], some)
            views = framed(Views(images, views.labels, views.poses), dice)
            images = views.images
            taken = masked | dice.chance(_PHOTOGRAPHED)
            if taken.any():
                images[taken] = photographed(images[taken], dice.some(taken))
            images = images * 2 - 1
            return _with_estimates(Views(images, views.labels, views.poses), dice), views.labels

    def _judged(self, indices: Tensor) -> tuple[ParserInput, Tensor]:
        """Held-out photos with estimates, the same each time, and their labels (B, H/2, W/2)."""
        views = whole(self.held_out.views(indices, self.device))
        return _with_estimates(views, Dice(indices, self.device)), views.labels

    @torch.no_grad()
    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        """mIoU over the ten labels on held-out photos, with joints and silhouettes as if estimated."""
        counts = torch.zeros(2, LABEL_COUNT)
        chosen = torch.linspace(0, len(self.held_out) - 1, min(len(self.held_out), _VALIDATION_PHOTOS)).long()
        for indices in chosen.split(16):
            inputs, labels = self._judged(indices)
            counts += intersection_and_union(networks["parser"](inputs).argmax(1), labels).cpu()
        return {"miou": mean_iou(counts)}

    @torch.no_grad()
    def sheet(self, networks: nn.ModuleDict) -> Picture:
        """Held-out photos, each with the silhouette given, the map found and the true one; and training photos."""
        rows = []
        for index in shown(len(self.held_out)):
            inputs, labels = self._judged(torch.tensor([index]))
            rows.append(_row(self.held_out.names[index], inputs, networks["parser"](inputs), labels))
        draw = self.draw(torch.Generator().manual_seed(0))[:2]
        for k in range(len(draw)):
            inputs, labels = self.disguised(draw[k : k + 1])
            rows.append(_row(f"{draw.names[k]} in training", inputs, networks["parser"](inputs), labels))
        return sheet(rows)


def _some_recut(views: Views, dice: Dice) -> Views:
    """``views`` with images in [0, 1], some of them with other necklines."""
    which = dice.chance(_RECUT)
    if which.any():
        changed = recut(Views(views.images[which], views.labels[which], views.poses[which]), dice.some(which))
        images, labels = views.images.clone(), views.labels.clone()
        images[which], labels[which] = changed.images, changed.labels
        views = Views(images, labels, views.poses)
    return views


def _with_estimates(views: Views, dice: Dice) -> ParserInput:
    """``views`` whose labels are at half the size, with joints and silhouettes as if estimated."""
    silhouettes, there = estimated_silhouettes(views.labels > 0, dice)
    silhouettes = F.interpolate(silhouettes, size=views.images.shape[2:], mode="bilinear", align_corners=False)
    return ParserInput(views.images, estimated_poses(views.poses, dice), silhouettes, there)


def _row(name: str, inputs: ParserInput, logits: Tensor, labels: Tensor) -> list[tuple[str, Picture]]:
    silhouette = inputs.silhouettes.expand(-1, 3, -1, -1) * inputs.has_silhouette[:, None, None, None]
    maps = [colour_parsing(ids[0].cpu().numpy()) for ids in (logits.argmax(1), labels)]
    pictures = (as_bytes(inputs.images)[0], as_bytes(silhouette * 2 - 1)[0], *maps)
    return list(zip((name, "silhouette", "found", "true"), pictures, strict=True))
