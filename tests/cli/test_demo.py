from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.cli.demo_people import POSES, interpolate_poses, render_demo_person
from pgen.cli.demo_pictures import EDITS
from pgen.cli.main import main
from pgen.evaluation.html_page import render_page
from tests.data.examples import STANDING, nothing_left_in
from tests.inference.tiny import FRAME, write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def demo(weights: Path, *arguments: str) -> int:
    return main(["demo", "--weights", str(weights), "--device", "cpu", *arguments])


class Links(HTMLParser):
    """What a page refers to, and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_demo(here: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pgen.cli.demo.PEOPLE", 1)
    monkeypatch.setattr("pgen.cli.demo.FRAMES", 6)
    assert demo(weights) == 0
    out, err = capsys.readouterr()
    assert out == "demo/index.html\n"
    assert err.startswith(f"weights: {weights}\ntook ")
    assert [path.name for path in here.iterdir()] == ["demo"]
    text = Path("demo/index.html").read_text()
    links = Links(text).found
    assert len(links) == len(re.findall("<img", text)) == 1 + 2 + 4 * len(POSES) + 3 + 1 + 2 * len(EDITS)
    for link in links:
        assert Path(link).name == link
        with Image.open(Path("demo", link)) as image:
            image.load()
    assert "://" not in text
    numbers = [float(number) for number in re.findall(r"<td>([01]\.\d{3})</td>", text)]
    assert len(numbers) == 4
    assert all(0 <= number <= 1 for number in numbers)
    with Image.open("demo/walk.gif") as animation:
        assert animation.n_frames == 6
        assert animation.size == (2 * FRAME[1], 2 * FRAME[0])

    with nothing_left_in(here):
        assert demo(weights) == 2
    line = capsys.readouterr().err
    assert "error: demo exists already" in line
    assert "(--force)" in line
    Path("demo/mine.txt").write_text("mine")
    Path("demo/index.html").unlink()
    assert demo(weights, "--force") == 0
    assert Path("demo/index.html").read_text().startswith("<!doctype html>")
    assert Path("demo/mine.txt").read_text() == "mine"


def test_refused(here: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    lone = write_weights(here / "ha.safetensors", semantic=False)
    with nothing_left_in(here):
        assert demo(weights, "-o", "file") == 2
        assert demo(weights, "-o", "none/demo") == 2
        assert demo(lone) == 2
        assert demo(here / "none.safetensors") == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert lines[0] == "error: file is a file; name a folder (--out)"
    assert lines[1].startswith("error: none/demo: the folder cannot be made")
    assert "H_S" in lines[2]
    assert "none.safetensors" in lines[3]


def test_people_are_the_same_every_time_and_differ() -> None:
    first, again, other = (
        render_demo_person(1, 0, (64, 64)),
        render_demo_person(1, 0, (64, 64)),
        render_demo_person(1, 2, (64, 64)),
    )
    np.testing.assert_array_equal(first.source.image, again.source.image)
    assert (first.source.image != other.source.image).any()
    assert list(first.truths) == list(POSES)
    shoulders = first.truths["from behind"].pose[[2, 5], 0]
    assert shoulders[0] > shoulders[1], "seen from behind, the right shoulder is on the right"


def test_curve_passes_through_the_poses() -> None:
    poses = [STANDING + np.float32(10 * np.sin(step * np.pi / 4)) for step in range(8)]
    curve = interpolate_poses(poses, 24)
    for step, pose in enumerate(poses):
        np.testing.assert_allclose(curve[3 * step], pose, atol=1e-4)
    steps = np.diff(np.stack([*curve, curve[0]])[:, 0, 0])
    assert np.abs(np.diff(steps)).max() < 1, "no jerks, nor where it begins anew"


def test_curve_leads_past_gaps_and_drops_what_is_hardly_seen() -> None:
    poses = [STANDING + np.float32(step) for step in (0, 1, 0, -1)]
    poses[1][4] = np.nan
    for pose in poses[:2]:
        pose[7] = np.nan
    curve = np.stack(interpolate_poses(poses, 8))
    assert np.isfinite(curve[:, 4]).all()
    assert np.isnan(curve[:, 7]).all()


def test_page_escapes_what_it_is_given() -> None:
    evil = "<b>&\"'"
    person = {"name": evil, "given": [(evil, evil)], "poses": [evil], "rows": {evil: [evil], "generated": [evil]}}
    figures = [(evil, evil)]
    text = render_page(
        "demo.html.j2", "pgen.cli", title=evil, seed=evil, size=(evil, evil), origin=evil, pairs=evil, seconds=1.0,
        took=1.0, people=[person], walk={"steps": 1, "frames": 1, "figures": figures}, dressed=figures, edited=figures,
        scores=[(evil, evil, evil)],
    )  # fmt: skip
    assert "<b>" not in text
    assert set(Links(text).found) == {evil}
