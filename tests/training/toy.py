"""A training that takes a second, and what tests ask of its folder."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import Dataset

from pgen.data.dataset import Augmentation, PersonSample
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from pgen.training.config import Schedule
from pgen.training.run import RunConfig
from pgen.training.sampling import SampledPhotos, sample_noise
from pgen.training.tasks.base import Judged

SCHEDULE = Schedule(steps=8, batch=2, warmup=2, ema=0.5)


class NoPhotos(Dataset[PersonSample]):
    """Black photos, of any index."""

    def __getitem__(self, index: int) -> PersonSample:
        black = torch.zeros(16, 16, dtype=torch.uint8)
        return PersonSample(black.expand(3, -1, -1), black, torch.zeros(18, 2), "black.png", "nobody")


class Toy:
    """A pose detector that learns noise, against a discriminator: batch norms, dropout, random batches."""

    name, score = "toy", "score"
    frame = (16, 16)
    train = NoPhotos()

    def __init__(self, schedule: Schedule | None = None, fails_at: int = -1) -> None:
        torch.manual_seed(0)
        self.schedule = schedule or SCHEDULE
        self.networks = nn.ModuleDict({"pose": LightPoseDetector(PoseDetectorConfig(width=2))})
        self.discriminators = nn.ModuleDict({"toy": nn.Conv2d(18, 1, 3)})
        self.frozen_networks: Mapping[str, nn.Module] = {}
        self.lr_factors: Mapping[str, float] = {}
        self.fails_at, self.asked, self.validated = fails_at, 0, 0
        self.history: list[dict[str, Tensor]] = []

    def on_step_start(self, step: int, ema: nn.ModuleDict) -> None:
        assert step >= 0
        assert not ema.training

    def sample(self, rng: torch.Generator) -> SampledPhotos:
        batch = self.schedule.batch
        seeds = torch.randint(2**62, (batch,), generator=rng)
        names = tuple(f"{seed}.png" for seed in seeds.tolist())
        return SampledPhotos(names, seeds, Augmentation.draw(batch, rng, False, 0.0), seeds, seeds)

    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        assert self.networks.training
        self.history.append(copy.deepcopy(self.networks.state_dict()))
        images = sample_noise(torch.empty(len(batch), 3, 16, 16), batch.noise)
        found = nn.functional.dropout(self.networks["pose"](images), 0.2)
        broken = torch.nan if self.asked == self.fails_at else 0.0
        self.asked += 1
        fool = (self.discriminators["toy"](found) - 1).square().mean()
        judged = {"toy": (images.mean((1, 2, 3)).view(-1, 1, 1, 1), found.detach())}
        return {"fit": (found - 1).square().mean() + broken, "fool": fool}, judged

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        real, found = judged["toy"]
        return {"discriminator": (self.discriminators["toy"](found) - real).square().mean()}

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        self.validated += 1
        assert not networks.training
        return {"score": 0.5}

    def draw_samples(self, networks: nn.ModuleDict) -> None:
        pass

    def parameters(self) -> list[Tensor]:
        return [*self.networks.state_dict().values(), *self.discriminators.state_dict().values()]


def same_tensors(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def quiet(step: int, values: dict[str, float]) -> None:
    pass


def run_in(folder: Path, **options: object) -> RunConfig:
    return RunConfig(folder, {"preset": "toy"}, **options)  # type: ignore[arg-type]


def spoil(checkpoint: Path, damage: str) -> None:
    if damage == "pickle":
        torch.save({"step": Path("x")}, checkpoint)
    elif damage == "gone":
        checkpoint.unlink()
    else:
        checkpoint.write_bytes(b"" if damage == "empty" else checkpoint.read_bytes()[:-500])
