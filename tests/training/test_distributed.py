from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pgen.errors import InputError, PgenError
from pgen.runtime.busy_processors import count_processors
from pgen.training import distributed
from pgen.training.distributed import ProcessGroup, _raise, check_processes, run_in_processes
from tests.training import dying, together
from tests.training.people import write_people
from tests.training.stages import NAMES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People; and in ``run`` a training of which the first two steps were made in one process."""
    folder = tmp_path_factory.mktemp("together")
    write_people(folder / "people.h5")
    together.train_on(ProcessGroup(), folder, "run", 2)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """What two processes came to."""
    run_in_processes((), 2, together.all_together, folder)
    return torch.load(folder / "found.pt", weights_only=True)


@pytest.fixture(scope="module")
def alone(folder: Path) -> together.Gradients:
    """Gradients of one process."""
    return together.gradients(ProcessGroup(), folder)


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The relative difference of all gradients of a stage; that of any tensor may be ten times as large.

    A bias before a batch norm has a gradient of 0 but for rounding, which is not compared to itself.
    """
    assert one.keys() == other.keys()
    names = [name for name in other if name != "losses" and "running" not in name]
    a, b = (torch.cat([grads[name].flatten() for name in names]) for grads in (one, other))
    least = 1e-5 * float(b.norm())
    parts = {name: float((one[name] - other[name]).norm() / other[name].norm().clamp_min(least)) for name in other}
    whole = float((a - b).norm() / b.norm())
    return max(whole, *(part / 10 for part in parts.values()), parts["losses"])


def test_gradients_of_two_processes_are_those_of_one(alone: together.Gradients, found: dict[str, Any]) -> None:
    for name in NAMES:
        assert difference(found["fp32"][name], alone[name]) < 1e-5, name


def test_levels_that_grow_are_averaged_as_they_are_trained(folder: Path, found: dict[str, Any]) -> None:
    alone = together.grow(ProcessGroup(), folder)
    for phase, expected in alone.items():
        assert found["grown"][phase].keys() == expected.keys()
        both = [torch.cat([tensor.flatten() for tensor in of.values()]) for of in (found["grown"][phase], expected)]
        assert float((both[0] - both[1]).norm() / both[1].norm()) < 1e-3, phase  # Adam makes much of rounding
    local = "appearance.to_image.weight"
    assert [local in alone[phase] for phase in ("coarse", "fade", "both")] == [False, True, True]


def test_gradients_of_parts_are_those_of_the_whole(
    folder: Path, alone: together.Gradients, found: dict[str, Any]
) -> None:
    in_parts = together.gradients(ProcessGroup(), folder, accumulate=2)
    for name in NAMES:
        assert difference(found["parts"][name], in_parts[name]) < 1e-5, name  # batch norms too see each part as a whole
        if name not in ("pose", "parser"):
            assert difference(in_parts[name], alone[name]) < 1e-5, name


def test_bf16_in_two_processes(folder: Path, found: dict[str, Any]) -> None:
    alone = together.gradients(ProcessGroup(), folder, precision="bf16", names=together.IN_BF16)
    for name in together.IN_BF16:
        own, others = (torch.cat([g.flatten() for g in grads[name].values()]) for grads in (found["bf16"], alone))
        assert own.isfinite().all()
        assert torch.cosine_similarity(own, others, dim=0) > 0.95, name
        assert difference(found["bf16"][name], found["fp32"][name]) > 1e-4  # which is not what it was


def test_processes_tell_each_other(found: dict[str, Any]) -> None:
    assert found["told"] == ["who", 0]
    assert found["seen"] == [True, False, 0.5]
    assert found["threads"] == max(1, count_processors() // 2)


def test_resumed_in_more_processes_and_in_fewer(folder: Path, found: dict[str, Any]) -> None:
    """Two steps in one process, two in two, and two in one."""
    result = load_file(together.train_on(ProcessGroup(), folder, "run", 6))
    whole = load_file(together.train_on(ProcessGroup(), folder, "whole", 6))
    assert (folder / "run" / "weights.safetensors").exists()
    assert result.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(result[name], value, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize(
    ("killed", "kind", "reason"),
    [
        (True, PgenError, "process 1 of 2 was killed by SIGKILL"),
        (False, InputError, "photos/7.png: cut short; fetch it again"),
    ],
)
def test_one_that_dies_ends_all(
    capfd: pytest.CaptureFixture[str], killed: bool, kind: type[PgenError], reason: str
) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(PgenError) as error:
        run_in_processes((), 2, dying.one_dies, killed)
    assert type(error.value) is kind
    assert str(error.value).startswith(reason)
    assert "\n" not in str(error.value)
    if isinstance(error.value, InputError):
        assert error.value.option == "data"
    assert capfd.readouterr().err == ""
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    ("message", "code", "kind", "said"),
    [
        ({"message": "PgenError: step 3:\nnot finite"}, 1, PgenError, "step 3: not finite"),
        ({"message": "ValueError: a\nb"}, 1, PgenError, "process 1 of 2 failed: ValueError: a b"),
        ("<NONE>", 130, KeyboardInterrupt, ""),
    ],
)
def test_what_is_told_of_a_failure(message: object, code: int, kind: type[BaseException], said: str) -> None:
    with pytest.raises(kind) as error:
        _raise(message, code, 1, 2)
    assert str(error.value) == said


@pytest.mark.parametrize("gpus", [(0,), (-1,)])
def test_gpus_that_are_not_there(monkeypatch: pytest.MonkeyPatch, gpus: tuple[int, ...]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="none can be used; train on the CPU") as error:
        run_in_processes(gpus, 0, dying.one_dies, True)
    assert error.value.option == "gpus"


def test_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_processes((1, 0), 0)
    with pytest.raises(InputError, match=r"there is no GPU 2 here; choose one of 0, 1"):
        check_processes((0, 2), 0)
    with pytest.raises(InputError, match="once"):
        check_processes((1, 1), 0)
    with pytest.raises(InputError, match="not both"):
        run_in_processes((0,), 2, dying.one_dies, True)


def test_processes_on_the_cpu_stay_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    joined: list[bool] = []

    @contextmanager
    def join(gpus: tuple[int, ...], on_cpu: bool) -> Iterator[ProcessGroup]:
        joined.append(on_cpu)
        yield ProcessGroup()

    monkeypatch.setattr(distributed, "_joined", join)
    monkeypatch.setattr(distributed, "end_with_parent", lambda: None)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    for gpus in ((), (0,)):
        distributed._worker(8, lambda processes: None, gpus, ())
    assert joined == [True, False]


def test_torchrun_starts_the_processes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "localhost"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="torchrun has done so: leave it out"):
        run_in_processes((), 2, dying.one_dies, True)


@pytest.mark.parametrize(("rank", "port"), [("0", "0"), ("1", "1")])
def test_others_that_do_not_come_are_not_waited_for_forever(
    monkeypatch: pytest.MonkeyPatch, rank: str, port: str
) -> None:
    monkeypatch.setattr("pgen.training.distributed._MEETING", timedelta(seconds=1))
    for name, value in (("RANK", rank), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "localhost"), ("MASTER_PORT", port)):
        monkeypatch.setenv(name, value)
    with pytest.raises(PgenError, match=f"process {rank} did not find the others of 2 .* unset RANK, WORLD_SIZE"):
        run_in_processes((), 0, dying.one_dies, True)


def test_numbers_of_processes_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "two"), ("MASTER_ADDR", "localhost"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="WORLD_SIZE is 'two', no number; unset it"):
        run_in_processes((), 0, dying.one_dies, True)
