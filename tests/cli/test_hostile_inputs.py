"""Every command against every kind of hostile input: one line, no hang, nothing changed and nothing left."""

from __future__ import annotations

import hashlib
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from pgen.cli.main import main
from pgen.data.annotators.interface import FoundMap, ParsingRequest
from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS
from tests.cli.hostile_files import write_good, write_hostile
from tests.data.annotators.fakes import FakePose
from tests.data.examples import STANDING

pytestmark = pytest.mark.slow

_SECONDS, _GIGABYTES = 60, 2.5

#: Commands; {x} is the hostile input. The good files are those of `write_good`.
COMMANDS = {
    "generate-src": "generate {x} --src-pose p.json --src-parsing m.png --pose walk {w} -o out.png",
    "generate-src-estimated": "generate {x} --pose walk {w} -o out.png",
    "generate-src-pose": "generate a.png --src-pose {x} --pose walk {w} -o out.png",
    "generate-src-parsing": "generate a.png --src-parsing {x} --pose walk {w} -o out.png",
    "generate-pose": "generate a.png --pose {x} {w} -o out.png",
    "generate-gif": "generate a.png --pose {x} {w} --gif out.gif",
    "generate-parsing": "generate a.png --pose walk --parsing {x} {w} -o out.png",
    "generate-weights": "generate a.png --pose walk --weights {x} -o out.png",
    "generate-scheme": "generate a.png --src-parsing m.png --parsing-scheme {x} --pose walk {w} -o out.png",
    "generate-parser": "generate a.png --pose walk --parser pgen:{x} {w} -o out.png",
    "generate-out": "generate a.png --pose walk {w} -o {x}",
    "generate-sheet": "generate a.png --pose walk {w} -o out.png --sheet {x}",
    "transfer-clothes": "texture-transfer --clothes {x} --person a.png {w} -o out.png",
    "transfer-person": "texture-transfer --clothes a.png --person {x} {w} -o out.png",
    "transfer-clothes-pose": "texture-transfer --clothes a.png --person b.png --clothes-pose {x} {w} -o out.png",
    "transfer-person-map": "texture-transfer --clothes a.png --person b.png --person-parsing {x} {w} -o out.png",
    "transfer-weights": "texture-transfer --clothes a.png --person b.png --weights {x} -o out.png",
    "manipulate-src": "manipulate {x} --edit sleeves=long {w} -o out.png",
    "manipulate-map": "manipulate a.png --parsing {x} {w} -o out.png",
    "manipulate-pose": "manipulate a.png --edit sleeves=long --src-pose {x} {w} -o out.png",
    "manipulate-save": "manipulate a.png --edit sleeves=long {w} --save-parsing {x}",
    "annotate-photo": "annotate {x} -o out",
    "annotate-pose": "annotate a.png --src-pose {x} -o out",
    "annotate-map": "annotate a.png --src-parsing {x} -o out",
    "annotate-out": "annotate a.png -o {x}",
    "inspect": "inspect {x}",
    "inspect-sheet": "inspect {x} --sheet out.png",
    "inspect-labels": "inspect {x} --pseudo-labels",
    "import-weights": "import-weights {x} -o out.safetensors",
    "prepare-root": "prepare --dataset folder --root {x} {p}",
    "prepare-deepfashion": "prepare --dataset deepfashion --root {x} {p}",
    "prepare-market": "prepare --dataset market1501 --root {x} {p}",
    "prepare-keypoints": "prepare --dataset folder --root set --keypoints {x} {p}",
    "prepare-parsing": "prepare --dataset folder --root set --parsing {x} {p}",
    "prepare-pairs": "prepare --dataset folder --root set --pairs {x} {p}",
    "prepare-people": "prepare --dataset folder --root set --people {x} {p}",
    "prepare-scheme": "prepare --dataset folder --root set --parsing-scheme {x} {p}",
    "prepare-out": "prepare --dataset folder --root set --size 64x64 -o {x} --workers 1",
    "evaluate-generated": "evaluate --generated {x} --targets set/images --metrics ssim {e}",
    "evaluate-targets": "evaluate --generated results --targets {x} --metrics ssim {e}",
    "evaluate-pairs": "evaluate {r} --pairs {x} --metrics ssim {e}",
    "evaluate-keypoints": "evaluate {r} --keypoints {x} --metrics mask-ssim {e}",
    "evaluate-data": "evaluate --data {x} --baseline copy-source --metrics ssim {e}",
    "evaluate-weights": "evaluate --data d.h5 --weights {x} --metrics ssim {e}",
    "evaluate-detector": "evaluate {r} --metrics pckh --detector {x} {e}",
    "evaluate-cache": "evaluate {r} --metrics ssim --offline --cache {x} --workers 1",
    "evaluate-html": "evaluate {r} --metrics ssim --offline --no-cache --html {x} --workers 1",
    "train-data": "train-pose --data {x} {s} {o}",
    "train-preset": "train-pose --data d.h5 --preset {x} {o}",
    "train-start": "train-hs --data d.h5 {s} --start {x} {o}",
    "train-semantic": "train-joint --data d.h5 {s} --semantic {x} --pose {x} {o}",
    "train-resume": "train-pose --out {x} --resume --max-steps 1",
    "train-set": "train-pose --data d.h5 {s} --set {x} {o}",
    "presets": "presets {x}",
    "demo-weights": "demo --weights {x} -o out",
    "demo-out": "demo --weights p.json -o {x}",
    "poses-out": "poses -o {x}",
    "studio-weights": "studio --no-browser --port 0 --weights {x}",
    "studio-parser": "studio --no-browser --port 0 --parser {x}",
}

#: What many of them have in common.
_COMMON = {
    "{w}": "--weights w.safetensors",
    "{e}": "--offline --no-cache --workers 1",
    "{p}": "--size 64x64 -o out.h5 --workers 1",
    "{r}": "--generated results --targets set/images",
    "{s}": "--preset synthetic-64",
    "{o}": "--max-steps 1 --out out",
}

#: Those that name what they write.
_WRITING = {
    "generate-out",
    "generate-sheet",
    "manipulate-save",
    "annotate-out",
    "poses-out",
    "prepare-out",
    "evaluate-html",
}


def look(folder: Path) -> dict[str, str]:
    """All that lies in ``folder``, by name, with what tells whether it was changed."""
    found = {}
    for path in folder.rglob("*"):
        is_file = path.is_file() and not path.is_symlink()
        found[str(path.relative_to(folder))] = hashlib.sha1(path.read_bytes()).hexdigest() if is_file else ""
    return found


class AnyParser:
    """Finds a body that fills the photo."""

    name = "a stand-in"

    def parse(self, photos: Sequence[ParsingRequest]) -> list[FoundMap]:
        return [FoundMap(np.full(photo.image.shape[:2], 3, np.uint8)) for photo in photos]


def measure_peak() -> float:
    """The most memory, in GB, that this process has used so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@contextmanager
def time_limit(what: str) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"hangs: {what}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("place")
    write_good(folder)
    (folder / "hostile").mkdir()
    return folder, write_hostile(folder / "hostile")


@pytest.mark.parametrize("name", COMMANDS)
def test_hostile_inputs(
    place: tuple[Path, list[str]], name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, given = place
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / ".cache"))
    monkeypatch.setitem(POSE_ANNOTATORS, "mediapipe", lambda weights: FakePose([STANDING]))
    monkeypatch.setattr("pgen.studio.serve.serve", lambda *given: None)
    if name != "generate-parser":
        monkeypatch.setitem(PARSING_ANNOTATORS, "pgen", lambda file: AnyParser())
    if name == "evaluate-cache":  # an empty file is one that is to be
        given = [hostile for hostile in given if hostile != "hostile/empty.png"]
    before, faults, peak = look(folder), [], measure_peak()
    for hostile in given:
        words = " ".join(_COMMON.get(word, word) for word in COMMANDS[name].split()).split()
        command = [word.replace("{x}", hostile) for word in words]
        with time_limit(f"{name} {hostile!r}"):
            code = main(command)
        err = capfd.readouterr().err
        errors = [line for line in err.splitlines() if line.startswith("error: ")]
        after = look(folder)
        is_told = code == 0 or (code in (1, 2) and len(errors) == 1 and len(errors[0]) > 20)
        new = sorted(after.keys() - before.keys())
        left = [file for file in new if code != 0 or ".part" in file]
        if name in _WRITING or code == 0 or name == "evaluate-cache":
            left = [file for file in left if ".part" in file and not file.endswith(".h5.part")]
        changed = [file for file in before if after.get(file) != before[file]]
        if not is_told or "--debug" in err or "Traceback" in err or "weights_only" in err or changed or left:
            faults.append(f"{hostile!r}: {code} {errors or err[-300:]} changed {changed} left {left}")
        for file in sorted(new, reverse=True):
            with suppress(OSError):
                (folder / file).rmdir() if (folder / file).is_dir() else (folder / file).unlink()
        peak, used = measure_peak(), peak
        if peak > max(used, _GIGABYTES):
            faults.append(f"{hostile!r}: {peak:.1f} GB of memory")
    assert not (folder / "escaped").exists()
    assert not faults, "\n".join([f"{len(faults)} of {len(given)}:", *faults])
