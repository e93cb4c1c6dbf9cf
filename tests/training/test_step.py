from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pgen.errors import InputError, PgenError
from pgen.training.checkpoint import TrainingState
from pgen.training.config import Schedule
from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.loop import Step, create_state, learning_rate_factor, train
from pgen.training.run import read_metrics
from pgen.training.sampling import SampledPhotos, sample_noise
from pgen.training.tasks.base import Judged
from tests.training.toy import SCHEDULE, Toy, quiet, run_in


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = train(Toy(), run_in(tmp_path, max_steps=3), quiet)
    before = checkpoint.read_bytes()
    stage = Toy(fails_at=2)
    with pytest.raises(PgenError, match=r"step 5: the loss is not finite \(fit nan, fool [\d.e+-]+\) for \d+") as error:
        train(stage, run_in(tmp_path, resume=True), quiet)
    assert not isinstance(error.value, InputError)
    names = stage.sample(torch.Generator().manual_seed(5)).names
    assert f"for {', '.join(names)}; " in str(error.value)
    assert str(checkpoint) in str(error.value)
    assert checkpoint.read_bytes() == before
    assert not (tmp_path / "weights.safetensors").exists()
    assert all(value.isfinite().all() for value in stage.parameters())


class Watched(Toy):
    """Looks at the gradients as they are when the losses are asked for."""

    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        self.before = [p.detach().clone() for p in self.discriminators.parameters()]
        assert not any(p.requires_grad for p in self.discriminators.parameters())
        return super().losses(batch)

    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        # The generator has stepped, the critic has not, and nothing has been added to its gradients meanwhile.
        assert all(torch.equal(a, b) for a, b in zip(self.before, self.discriminators.parameters(), strict=True))
        self.of_networks = [None if p.grad is None else p.grad.clone() for p in self.networks.parameters()]
        self.of_critics = [None if p.grad is None else p.grad.clone() for p in self.discriminators.parameters()]
        losses = super().discriminator_losses(judged)
        self.expected = torch.autograd.grad(
            losses["discriminator"], list(self.discriminators.parameters()), retain_graph=True
        )
        return losses


def test_neither_step_gives_the_other_gradients(tmp_path: Path) -> None:
    stage = Watched(replace(SCHEDULE, grad_clip=0.0))
    train(stage, run_in(tmp_path, max_steps=1), quiet)
    assert stage.of_critics == [None, None]
    for kept, parameter in zip(stage.of_networks, stage.networks.parameters(), strict=True):
        assert kept is not None
        assert parameter.grad is not None
        assert torch.equal(kept, parameter.grad)  # the critic's step added nothing
    train(stage, run_in(tmp_path, resume=True), quiet)
    for parameter, expected in zip(stage.discriminators.parameters(), stage.expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, expected)  # its own losses', and not the generator's too


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    step = torch.optim.Adam.step

    def watched(self: torch.optim.Adam, *arguments: object) -> object:
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(torch.stack([g.norm() for g in gradients if g is not None]).norm().item())
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    for clip in (0.01, 0.0):
        train(Toy(Schedule(steps=1, batch=2, grad_clip=clip)), run_in(tmp_path / str(clip)), quiet)
    assert norms[0] == pytest.approx(0.01, rel=1e-3)  # (1 and 3 are the critic's)
    assert norms[2] > 0.1


def test_adam_in_one_pass_is_adam() -> None:
    """Also of weights that are channels-last in memory, with gradients that are not."""
    weights = [torch.randn(8, 4, 3, 3).to(memory_format=torch.channels_last) for _ in range(2)]
    weights[1].copy_(weights[0])
    for weight, is_fused in zip(weights, (False, True), strict=True):
        weight.requires_grad_()
        optimizer = torch.optim.Adam([weight], 1e-2, fused=is_fused)
        for step in range(3):
            gradient = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            (weight * gradient).sum().backward()
            optimizer.step()
    torch.testing.assert_close(*weights)


def test_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(steps=100, warmup=10, lr_decay=0.4)
    factors = [learning_rate_factor(schedule, step) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[4] == pytest.approx(0.5)
    assert factors[9:61] == [1.0] * 52
    assert factors[80] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(1 / 40)
    assert all(0 < factor <= 1 for factor in factors)


@pytest.mark.parametrize(("warmup", "decay"), [(0, 0.0), (0, 1.0), (200, 1.0)])
def test_rate_at_its_limits(warmup: int, decay: float) -> None:
    factors = [learning_rate_factor(Schedule(steps=50, warmup=warmup, lr_decay=decay), step) for step in range(50)]
    assert all(0 < factor <= 1 for factor in factors)
    assert (factors == [1.0] * 50) == (decay == 0)
    assert learning_rate_factor(Schedule(steps=1, warmup=0, lr_decay=decay), 0) == 1


def test_rate_is_used(tmp_path: Path) -> None:
    """With the rate at 0 nothing moves; with the critic's at 0 only the generator does."""
    for rate, critic_rate in ((0.0, 1e-2), (1e-2, 0.0)):
        stage = Toy(Schedule(steps=2, batch=2, lr=rate, d_lr=critic_rate, warmup=0))
        before = [p.detach().clone() for p in (*stage.networks.parameters(), *stage.discriminators.parameters())]
        train(stage, run_in(tmp_path / str(rate)), quiet)
        count = len(list(stage.networks.parameters()))
        after = [*stage.networks.parameters(), *stage.discriminators.parameters()]
        same = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
        assert all(same[:count]) == (rate == 0)
        assert all(same[count:]) == (critic_rate == 0)


class BadCritic(Toy):
    def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
        losses = super().discriminator_losses(judged)
        return {"discriminator": losses["discriminator"] * torch.nan} if self.asked == 3 else losses


class BadGradient(Toy):
    def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
        losses, judged = super().losses(batch)
        zero = self.networks["pose"].to_heatmaps.bias.sum() * 0
        return (
            {**losses, "root": zero.sqrt()} if self.asked == 3 else losses
        ), judged  # the root of 0 has an endless slope


@pytest.mark.parametrize(("stage", "what"), [(BadCritic(), "discriminators' loss"), (BadGradient(), "gradient")])
def test_nothing_of_a_step_that_is_not_finite_is_kept(tmp_path: Path, stage: Toy, what: str) -> None:
    with pytest.raises(PgenError, match=rf"step 2: the {what} is not finite .*no checkpoint was written yet"):
        train(stage, run_in(tmp_path), quiet)
    assert all(value.isfinite().all() for value in stage.parameters())


def test_parts_of_a_batch_make_the_same_step(tmp_path: Path) -> None:
    """But for batch norms, which this stage has, in eval mode."""

    class Whole(Toy):
        def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
            self.networks.eval()
            images = sample_noise(torch.empty(len(batch), 3, 16, 16), batch.noise)
            found = self.networks["pose"](images)
            self.sizes = (*getattr(self, "sizes", ()), len(batch))
            terms = {"fit": (found - 1).square().mean(), "fool": self.discriminators["toy"](found).square().mean()}
            return terms, {"toy": (images.mean((1, 2, 3)).view(-1, 1, 1, 1), found.detach())}

    rows, sizes = {}, {}
    for parts in (1, 4):
        stage = Whole(Schedule(steps=3, batch=8, accumulate=parts, log_every=1))
        train(stage, run_in(tmp_path / str(parts)), quiet)
        rows[parts], sizes[parts] = read_metrics(tmp_path / str(parts) / "metrics.jsonl"), stage.sizes
    assert sizes == {1: (8,) * 3, 4: (2,) * 12}
    for one, other in zip(rows[1], rows[4], strict=True):
        assert {**one, "samples_per_second": 0} == pytest.approx({**other, "samples_per_second": 0}, rel=1e-4)


def test_precisions_and_batches_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fp16 needs a GPU; on the CPU take bf16"):
        train(Toy(), run_in(tmp_path, precision="fp16"), quiet)
    with pytest.raises(InputError, match=r"batch=6 cannot be shared by 4 processes .* multiple of 4"):
        train(Toy(Schedule(batch=6)), run_in(tmp_path), quiet, ProcessGroup(rank=0, world=4))
    assert list(tmp_path.iterdir()) == []


def test_without_critics(tmp_path: Path) -> None:
    class Plain(Toy):
        def losses(self, batch: SampledPhotos) -> tuple[dict[str, Tensor], Judged]:
            images = sample_noise(torch.empty(2, 3, 16, 16), batch.noise)
            return {"fit": self.networks["pose"](images).square().mean()}, {}

        def discriminator_losses(self, judged: Judged) -> dict[str, Tensor]:
            raise AssertionError

    for stop in (2, None):
        stage = Plain()
        stage.discriminators = nn.ModuleDict()
        train(stage, run_in(tmp_path, max_steps=stop, resume=stop is None), quiet)
    assert (tmp_path / "weights.safetensors").exists()


def scaled_step(scale: float) -> tuple[Toy, TrainingState]:
    """A stage after a step with a scaler of losses, as in fp16 on a GPU."""
    stage = Toy()
    run = run_in(Path("none"))
    state = create_state(stage, run, ProcessGroup())
    state.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    (loaded,) = load_steps(stage, 0, range(1), ProcessGroup())
    Step(stage, state, run, ProcessGroup())(loaded)
    return stage, state


def test_scaled_losses_make_the_same_step() -> None:
    (one, _), (other, state) = scaled_step(1.0), scaled_step(2.0**12)
    for a, b in zip(one.networks.parameters(), other.networks.parameters(), strict=True):
        assert a.grad is not None
        torch.testing.assert_close(a.grad, b.grad)  # clipped at their real size
        torch.testing.assert_close(a, b)
    kept = TrainingState(**{**vars(state), "scaler": torch.amp.GradScaler("cpu")})
    kept.restore(state.contents(), Path("checkpoint.pt"))
    assert kept.scaler.get_scale() == 2.0**12


def test_a_scaled_loss_that_overflows_leaves_the_step_out() -> None:
    fresh = [p.clone() for p in Toy().networks.parameters()]
    stage, state = scaled_step(2.0**127)
    assert all(torch.equal(a, b) for a, b in zip(stage.networks.parameters(), fresh, strict=True))
    assert state.scaler.get_scale() == 2.0**126
