from __future__ import annotations

import copy
import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from pgen.data.samples import Change
from pgen.data.weights import load_weights
from pgen.errors import InputError, PgenError
from pgen.models.pose_detector import PoseDetectorConfig, pose_detector
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.training.checkpoint import Checkpoints, State
from pgen.training.config import Schedule
from pgen.training.draws import NoisyDraw, noise_like
from pgen.training.loop import train
from pgen.training.run import Run
from pgen.training.step import rate_factor

SCHEDULE = Schedule(steps=8, batch=2, warmup=2, ema=0.5)


class Toy:
    """A pose detector that learns noise, against a critic: batch norms, dropout, random batches."""

    name, score = "toy", "score"
    frame = (16, 16)

    def __init__(self, schedule: Schedule | None = None, fails_at: int = -1) -> None:
        torch.manual_seed(0)
        self.schedule = schedule or SCHEDULE
        self.networks = nn.ModuleDict({"pose": pose_detector(PoseDetectorConfig(width=2))})
        self.critics = nn.ModuleDict({"toy": nn.Conv2d(18, 1, 3)})
        self.companions: Mapping[str, nn.Module] = {}
        self.rates: Mapping[str, float] = {}
        self.fails_at, self.asked, self.validated = fails_at, 0, 0
        self.history: list[dict[str, Tensor]] = []

    def begin(self, step: int, average: nn.ModuleDict) -> None:
        pass

    def draw(self, generator: torch.Generator) -> NoisyDraw:
        batch = self.schedule.batch
        seeds = torch.randint(2**62, (batch,), generator=generator)
        names = tuple(f"{seed}.png" for seed in seeds.tolist())
        return NoisyDraw(names, seeds, Change.draw(batch, generator, False, 0.0), seeds)

    def generator_losses(self, draw: NoisyDraw) -> dict[str, Tensor]:
        assert self.networks.training
        self.history.append(copy.deepcopy(self.networks.state_dict()))
        images = noise_like(torch.empty(len(draw), 3, 16, 16), draw.noise)
        found = nn.functional.dropout(self.networks["pose"](images), 0.2)
        self._judged = images.mean((1, 2, 3)).view(-1, 1, 1, 1), found.detach()
        broken = torch.nan if self.asked == self.fails_at else 0.0
        self.asked += 1
        return {"fit": (found - 1).square().mean() + broken, "fool": (self.critics["toy"](found) - 1).square().mean()}

    def critic_losses(self) -> dict[str, Tensor]:
        real, found = self._judged
        return {"critic": (self.critics["toy"](found) - real).square().mean()}

    def validate(self, networks: nn.ModuleDict) -> dict[str, float]:
        self.validated += 1
        assert not networks.training
        return {"score": 0.5}

    def parameters(self) -> list[Tensor]:
        return [*self.networks.state_dict().values(), *self.critics.state_dict().values()]


def same_tensors(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def quiet(step: int, values: dict[str, float]) -> None:
    pass


def run_in(folder: Path, **options: object) -> Run:
    return Run(folder, {"preset": "toy"}, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stops", [(3,), (1, 2, 7)])
def test_resumed_is_as_if_never_interrupted(tmp_path: Path, precision: str, stops: tuple[int, ...]) -> None:
    whole = Toy()
    finished = train(whole, run_in(tmp_path / "whole", precision=precision), quiet)
    for k, stop in enumerate(stops):
        unfinished = train(Toy(), run_in(tmp_path / "parts", precision=precision, max_steps=stop, resume=k > 0), quiet)
        assert unfinished == tmp_path / "parts" / "checkpoint.pt"
        assert not (tmp_path / "parts" / "weights.safetensors").exists()
    torch.manual_seed(99)  # whatever happened in between
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", precision=precision, resume=True), quiet)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    assert same_tensors(result, finished)


def test_a_run_in_the_middle_is_resumed_from_its_last_checkpoint(tmp_path: Path) -> None:
    """Killed two steps after a checkpoint: those are done again."""
    whole = Toy()
    finished = train(whole, run_in(tmp_path / "whole"), quiet)
    train(Toy(), run_in(tmp_path / "parts", max_steps=4), quiet)
    with pytest.raises(PgenError):
        train(Toy(fails_at=2), run_in(tmp_path / "parts", resume=True), quiet)
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", resume=True), quiet)
    assert resumed.asked == 4
    assert same_tensors(result, finished)


def test_other_seeds_go_other_ways(tmp_path: Path) -> None:
    one, other = (train(Toy(), run_in(tmp_path / str(seed), seed=seed), quiet) for seed in (0, 1))
    assert not same_tensors(one, other)


def test_finished_weights_can_be_loaded(tmp_path: Path) -> None:
    path = train(Toy(), run_in(tmp_path / "runs" / "toy"), quiet)
    assert path == tmp_path / "runs" / "toy" / "weights.safetensors"
    loaded = load_weights(path)
    assert (loaded.frame, loaded.info) == ((16, 16), {"preset": "toy", "step": 8, "scores": {"score": 0.5}})
    assert loaded.pose is not None
    assert {entry.name for entry in path.parent.iterdir()} - {"tensorboard"} == {
        *(f"{name}.safetensors" for name in ("weights", "last", "best")),
        *("checkpoint.pt", "metrics.jsonl", "curves.png"),
    }


def test_an_unfinished_run_is_not_started_over(tmp_path: Path) -> None:
    checkpoint = train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    before = checkpoint.read_bytes()
    with pytest.raises(InputError, match=r"unfinished run: continue it with --resume or choose another --out"):
        train(Toy(), run_in(tmp_path), quiet)
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize("damage", ["truncated", "empty", "other network", "pickle"])
def test_damaged_checkpoints_are_refused(tmp_path: Path, damage: str) -> None:
    checkpoint = train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    stage = Toy()
    if damage == "truncated":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-500])
    elif damage == "empty":
        checkpoint.write_bytes(b"")
    elif damage == "other network":
        stage.networks = nn.ModuleDict({"pose": pose_detector(PoseDetectorConfig(width=3))})
    else:
        torch.save({"step": Path(tmp_path)}, checkpoint)
    with pytest.raises(InputError, match="cannot resume from it") as error:
        train(stage, run_in(tmp_path, resume=True), quiet)
    assert str(checkpoint) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    before = checkpoint.read_bytes()
    stage = Toy(fails_at=2)
    with pytest.raises(PgenError, match=r"step 5: the loss is not finite \(fit nan, fool [\d.e+-]+\)") as error:
        train(stage, run_in(tmp_path, resume=True), quiet)
    assert not isinstance(error.value, InputError)
    assert str(checkpoint) in str(error.value)
    assert checkpoint.read_bytes() == before
    assert not (tmp_path / "weights.safetensors").exists()
    assert all(value.isfinite().all() for value in stage.parameters())


def test_average(tmp_path: Path) -> None:
    """Exponential, with a decay that grows from 0: the first steps count like a plain mean."""
    stage = Toy(Schedule(steps=6, batch=2, warmup=1, ema=0.75))
    loaded = load_weights(train(stage, run_in(tmp_path), quiet)).pose
    assert loaded is not None
    states = [*stage.history[1:], stage.networks.state_dict()]
    for name, value in loaded.state_dict().items():
        key = f"pose.{name}"
        if not value.is_floating_point():
            assert torch.equal(value, states[-1][key])
            continue
        expected = states[0][key].clone()
        for step, state in enumerate(states):
            decay = min(0.75, step / (step + 1))
            expected = decay * expected + (1 - decay) * state[key]
        torch.testing.assert_close(value, expected, atol=1e-6, rtol=1e-5)
    assert not torch.equal(loaded.state_dict()["to_heatmaps.bias"], states[-1]["pose.to_heatmaps.bias"])


class Watched(Toy):
    """Looks at the gradients as they are when the losses are asked for."""

    def generator_losses(self, draw: NoisyDraw) -> dict[str, Tensor]:
        self.before = [p.detach().clone() for p in self.critics.parameters()]
        assert not any(p.requires_grad for p in self.critics.parameters())
        return super().generator_losses(draw)

    def critic_losses(self) -> dict[str, Tensor]:
        # The generator has stepped, the critic has not, and nothing has been added to its gradients meanwhile.
        assert all(torch.equal(a, b) for a, b in zip(self.before, self.critics.parameters(), strict=True))
        self.of_networks = [None if p.grad is None else p.grad.clone() for p in self.networks.parameters()]
        self.of_critics = [None if p.grad is None else p.grad.clone() for p in self.critics.parameters()]
        losses = super().critic_losses()
        self.expected = torch.autograd.grad(losses["critic"], list(self.critics.parameters()), retain_graph=True)
        return losses


def test_neither_step_gives_the_other_gradients(tmp_path: Path) -> None:
    stage = Watched(replace(SCHEDULE, clip=0.0))
    train(stage, run_in(tmp_path, max_steps=1), quiet)
    assert stage.of_critics == [None, None]
    for kept, parameter in zip(stage.of_networks, stage.networks.parameters(), strict=True):
        assert kept is not None
        assert parameter.grad is not None
        assert torch.equal(kept, parameter.grad)  # the critic's step added nothing
    train(stage, run_in(tmp_path, resume=True), quiet)
    for parameter, expected in zip(stage.critics.parameters(), stage.expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, expected)  # its own losses', and not the generator's too


def test_without_critics(tmp_path: Path) -> None:
    class Plain(Toy):
        def generator_losses(self, draw: NoisyDraw) -> dict[str, Tensor]:
            return {"fit": self.networks["pose"](noise_like(torch.empty(2, 3, 16, 16), draw.noise)).square().mean()}

        def critic_losses(self) -> dict[str, Tensor]:
            raise AssertionError

    for stop in (2, None):
        stage = Plain()
        stage.critics = nn.ModuleDict()
        train(stage, run_in(tmp_path, max_steps=stop, resume=stop is None), quiet)
    assert (tmp_path / "weights.safetensors").exists()


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    step = torch.optim.Adam.step

    def watched(self: torch.optim.Adam, *arguments: object) -> object:
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(torch.stack([g.norm() for g in gradients if g is not None]).norm().item())
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    for clip in (0.01, 0.0):
        train(Toy(Schedule(steps=1, batch=2, clip=clip)), run_in(tmp_path / str(clip)), quiet)
    assert norms[0] == pytest.approx(0.01, rel=1e-3)  # (1 and 3 are the critic's)
    assert norms[2] > 0.1


def test_metrics_and_reports(tmp_path: Path) -> None:
    told: list[tuple[int, dict[str, float]]] = []
    steps: list[int] = []
    stage = Toy(replace(SCHEDULE, log=3, validate=4))

    def report(step: int, values: dict[str, float]) -> None:
        steps.append(step)
        if values:
            told.append((step, values))

    train(stage, run_in(tmp_path), report)
    assert [step for step, before in zip(steps[1:], steps, strict=False) if step != before] == [*range(2, 9)]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [step for step, _ in told] == [3, 4, 6, 8, 8]
    assert lines[0].keys() == {"step", "fit", "fool", "critic", "samples_per_second"}
    assert lines[1] == {"step": 4, "score": 0.5}
    assert stage.validated == 2


def test_checkpoints_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = Checkpoints.save

    def watched(self: Checkpoints, state: State) -> None:
        saved.append(state.step)
        save(self, state)

    monkeypatch.setattr(Checkpoints, "save", watched)
    train(Toy(replace(SCHEDULE, checkpoint=0.0)), run_in(tmp_path / "often"), quiet)
    assert saved == [1, 2, 3, 4, 5, 6, 7, 8]
    saved.clear()
    train(Toy(), run_in(tmp_path / "seldom"), quiet)
    assert saved == [8]


def test_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(steps=100, warmup=10, decay=0.4)
    factors = [rate_factor(schedule, step) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[4] == pytest.approx(0.5)
    assert factors[9:61] == [1.0] * 52
    assert factors[80] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(1 / 40)
    assert all(0 < factor <= 1 for factor in factors)


@pytest.mark.parametrize(("warmup", "decay"), [(0, 0.0), (0, 1.0), (200, 1.0)])
def test_rate_at_its_limits(warmup: int, decay: float) -> None:
    factors = [rate_factor(Schedule(steps=50, warmup=warmup, decay=decay), step) for step in range(50)]
    assert all(0 < factor <= 1 for factor in factors)
    assert (factors == [1.0] * 50) == (decay == 0)
    assert rate_factor(Schedule(steps=1, warmup=0, decay=decay), 0) == 1


def test_rate_is_used(tmp_path: Path) -> None:
    """With the rate at 0 nothing moves; with the critic's at 0 only the generator does."""
    for rate, critic_rate in ((0.0, 1e-2), (1e-2, 0.0)):
        stage = Toy(Schedule(steps=2, batch=2, rate=rate, critic_rate=critic_rate, warmup=0))
        before = [p.detach().clone() for p in (*stage.networks.parameters(), *stage.critics.parameters())]
        train(stage, run_in(tmp_path / str(rate)), quiet)
        count = len(list(stage.networks.parameters()))
        after = [*stage.networks.parameters(), *stage.critics.parameters()]
        same = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
        assert all(same[:count]) == (rate == 0)
        assert all(same[count:]) == (critic_rate == 0)


def test_a_finished_run_is_kept(tmp_path: Path) -> None:
    finished = train(Toy(), run_in(tmp_path), quiet)
    before = finished.read_bytes()
    with pytest.raises(InputError, match="holds a finished run"):
        train(Toy(), run_in(tmp_path), quiet)
    stage = Toy()
    assert train(stage, run_in(tmp_path, resume=True), quiet) == finished
    assert stage.asked == 0
    assert finished.read_bytes() == before


def test_frozen_companions_are_saved_with_the_weights(tmp_path: Path) -> None:
    stage = Toy()
    stage.companions = {"semantic": SemanticGenerator(SemanticConfig(widths=(2, 2, 2)))}
    assert load_weights(train(stage, run_in(tmp_path), quiet)).semantic is not None


class BadCritic(Toy):
    def critic_losses(self) -> dict[str, Tensor]:
        losses = super().critic_losses()
        return {"critic": losses["critic"] * torch.nan} if self.asked == 3 else losses


class BadGradient(Toy):
    def generator_losses(self, draw: NoisyDraw) -> dict[str, Tensor]:
        losses = super().generator_losses(draw)
        zero = self.networks["pose"].to_heatmaps.bias.sum() * 0
        return {**losses, "root": zero.sqrt()} if self.asked == 3 else losses  # the root of 0 has an endless slope


@pytest.mark.parametrize(("stage", "what"), [(BadCritic(), "discriminators' loss"), (BadGradient(), "gradient")])
def test_nothing_of_a_step_that_is_not_finite_is_kept(tmp_path: Path, stage: Toy, what: str) -> None:
    with pytest.raises(PgenError, match=rf"step 2: the {what} is not finite .*no checkpoint was written yet"):
        train(stage, run_in(tmp_path), quiet)
    assert all(value.isfinite().all() for value in stage.parameters())


class Interrupted(Toy):
    def generator_losses(self, draw: NoisyDraw) -> dict[str, Tensor]:
        if self.asked == 4:
            signal.raise_signal(signal.SIGINT)
        return super().generator_losses(draw)


def test_ctrl_c_leaves_a_checkpoint_that_resumes_exactly(tmp_path: Path) -> None:
    finished = train(Toy(), run_in(tmp_path / "whole"), quiet)
    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(), run_in(tmp_path / "parts"), quiet)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed = Toy()
    result = train(resumed, run_in(tmp_path / "parts", resume=True), quiet)
    assert resumed.asked == 3
    assert same_tensors(result, finished)


def test_large_seeds(tmp_path: Path) -> None:
    train(Toy(), run_in(tmp_path, seed=2**63, max_steps=1), quiet)
