"""Training of the pose detector: image → joint heatmaps."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from pgen.body.batch import to_pictures
from pgen.body.heatmaps import strided_heatmaps
from pgen.body.joints import known_joints
from pgen.body.viz import Picture, draw_sheet, draw_skeleton
from pgen.data.dataset import augment
from pgen.losses.pose import pose_loss
from pgen.models.pose_detector import PoseDetector, find_joints
from pgen.training.config import PoseTraining
from pgen.training.sampling import SampledPhotos, sample_noise, sample_photos
from pgen.training.tasks.base import Judged
from pgen.training.tasks.person_task import PersonTask, spread_indices

_Network = TypeVar("_Network", bound=nn.Module)

#: The loss is scaled as in H_A's training, to read alike.
_SCALE = 700.0


class PoseTask(PersonTask):
    """Heatmap regression with noise, brightness, flips and zoom."""

    name, role, score = "pose", "pose", "pck"
    config: PoseTraining
    model: PoseDetector

    def sample(self, rng: torch.Generator) -> SampledPhotos:
        return sample_photos(self.train, self.schedule, rng)

    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        persons = augment(batch.persons("source", self.device), batch.source_change)
        tint = 2 * self.config.noise * sample_noise(persons.images[:, :, :1, :1], batch.noise + 1)
        noise = self.config.noise * sample_noise(persons.images, batch.noise)
        image = (persons.images + tint + noise).clamp(-1, 1).contiguous(memory_format=torch.channels_last)
        target = strided_heatmaps(persons.poses, self.frame, self.model.stride)
        return {"pose": _SCALE * pose_loss(self.model(image), target)}, {}

    @torch.no_grad()
    def compute_scores(self, networks: nn.ModuleDict, indices: Tensor) -> dict[str, float]:
        """Share of known joints within 6 px in a 128-px frame (PCK), and their median error in px."""
        errors = []
        for some in indices.split(32):
            persons = self.held_out.batch(some, self.device)
            detector = networks["pose"]
            found = find_joints(detector(persons.images), self.model.stride, threshold=-torch.inf)
            errors.append((found - persons.poses).norm(dim=2)[known_joints(persons.poses)])
        error = torch.cat(errors)
        limit = 6 * max(self.frame) / 128
        return {"pck": (error < limit).float().mean().item(), "median_error": error.median().item()}

    @torch.no_grad()
    def draw_samples(self, networks: nn.ModuleDict) -> Picture:
        """Held-out photos, each with the skeleton that is found and the true one."""
        rows = []
        for index in spread_indices(len(self.held_out)):
            persons = self.held_out.batch(torch.tensor([index]), self.device)
            found = find_joints(networks["pose"](persons.images), self.model.stride)[0].cpu().numpy()
            photo, true = to_pictures(persons.images)[0], persons.poses[0].cpu().numpy()
            captions = (self.held_out.names[index], "found", "true")
            pictures = (photo, draw_skeleton(photo, found), draw_skeleton(photo, true))
            rows.append(list(zip(captions, pictures, strict=True)))
        return draw_sheet(rows)


def freeze(network: _Network) -> _Network:
    """``network`` in eval mode, without gradients."""
    return network.eval().requires_grad_(False)
