from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from pgen import version
from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.layouts import LAYOUTS
from pgen.evaluation.measure import Job
from pgen.evaluation.methods import BASELINES, Baseline, FilesMethod, Method
from pgen.evaluation.photos import FolderPhotos, Pair, Photo, Photos, StorePhotos
from pgen.evaluation.score import MethodResult, Training, hash_pairs, score_methods
from pgen.metrics.base import MetricOptions
from pgen.metrics.ssim_kernel import ssim
from tests.data.examples import write_store
from tests.evaluation.folders import PAIRS, PHOTOS, output, photo, write_photos, write_results

OPTIONS = MetricOptions(("ssim", "l1"))
SETS = MetricOptions(("l1", "vgg-relu2-frechet"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> StorePhotos:
    return StorePhotos(write_store(tmp_path_factory.mktemp("store") / "s.h5", count=20))


COPY = BASELINES["copy-source"]
PEOPLE = [Pair(f"{k:03}.png", f"{k + 2:03}.png") for k in range(18)]


class Counting(Baseline):
    """Counts how often it is asked, and may stop working."""

    def __init__(self, stop_after: int = 1000) -> None:
        super().__init__(**vars(COPY))
        self.asked, self.stop_after = 0, stop_after

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        if self.asked == self.stop_after:
            raise RuntimeError("out of luck")
        self.asked += 1
        return super().predict(pair, source, target)


def evaluate(
    method: Method,
    photos: Photos,
    pairs: Sequence[Pair],
    options: MetricOptions,
    cache: ScoreCache,
    workers: int = 1,
    training: Training | None = None,
) -> MethodResult:
    return score_methods(Job(photos, [method], options, cache), pairs, workers, training)[0]


def values(result: MethodResult) -> dict[str, list[float]]:
    """Scores and their intervals; NaN as −1, to be compared."""
    return {one.name: np.nan_to_num([one.value, one.low, one.high], nan=-1).tolist() for one in result.scores}


def test_scores_are_those_of_the_images(photos: StorePhotos, tmp_path: Path) -> None:
    result = evaluate(COPY, photos, PEOPLE, OPTIONS, ScoreCache(tmp_path / "c"))
    expected = []
    for pair in PEOPLE:
        assert pair.source is not None
        a, b = (torch.from_numpy(photos.load(n).image).permute(2, 0, 1)[None] for n in (pair.source, pair.target))
        expected.append(ssim(a, b).item())
    score = result.scores[0]
    assert score.values is not None
    np.testing.assert_allclose(score.values, expected, rtol=1e-12)
    assert score.value == pytest.approx(np.mean(expected))
    assert result.groups == [photos.person(pair.target) for pair in PEOPLE]


def test_an_interrupted_run_goes_on(photos: StorePhotos, tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "c")
    with pytest.raises(RuntimeError, match="out of luck"):
        evaluate(Counting(17), photos, PEOPLE, OPTIONS, cache)
    second = Counting()
    resumed = evaluate(second, photos, PEOPLE, OPTIONS, cache)
    assert second.asked == 2  # of 18, in pieces of 16
    third = Counting()
    assert values(evaluate(third, photos, PEOPLE, OPTIONS, cache)) == values(resumed)
    assert third.asked == 0
    assert values(evaluate(Counting(), photos, PEOPLE, OPTIONS, ScoreCache(tmp_path / "d"))) == values(resumed)
    evaluate(third, photos, PEOPLE, replace(OPTIONS, metrics=("psnr",)), cache)
    assert third.asked == 18  # another metric is another measurement


def test_what_other_code_has_measured_is_measured_anew(photos: StorePhotos, tmp_path: Path) -> None:
    cache, method = ScoreCache(tmp_path / "c"), Counting()
    assert version.hash_sources() == version.hash_sources.__wrapped__()
    for _ in range(2):
        score_methods(Job(photos, [method], OPTIONS, cache), PEOPLE)
    assert method.asked == len(PEOPLE)
    score_methods(Job(photos, [method], OPTIONS, cache, code="other"), PEOPLE)
    assert method.asked == 2 * len(PEOPLE)


@pytest.mark.slow
def test_several_processes_change_nothing(photos: StorePhotos, tmp_path: Path) -> None:
    alone = evaluate(COPY, photos, PEOPLE, OPTIONS, ScoreCache(tmp_path / "c"))
    together = evaluate(COPY, photos, PEOPLE, OPTIONS, ScoreCache(tmp_path / "d"), workers=2)
    assert values(together) == values(alone)


def test_order_and_list_have_a_hash() -> None:
    assert hash_pairs(PEOPLE) == hash_pairs([replace(pair, file="x") for pair in PEOPLE])
    assert len({hash_pairs(pairs) for pairs in (PEOPLE, PEOPLE[::-1], PEOPLE[:-1])}) == 3


@pytest.fixture
def results(tmp_path: Path) -> tuple[FolderPhotos, FilesMethod, list[Pair]]:
    photos = FolderPhotos(write_photos(tmp_path / "true"), [tmp_path / "keypoints.csv"])
    folder = write_results(tmp_path / "results", "pgen")
    pairs = [Pair(f"{s[:-4]}.png", f"{t[:-4]}.png", f"{s[:-4]}__{t[:-4]}.png") for s, t in PAIRS]
    return photos, FilesMethod("theirs", folder, LAYOUTS["pgen"]), pairs


def test_files_that_cannot_be_scored_are_told_with_the_reason(
    results: tuple[FolderPhotos, FilesMethod, list[Pair]], tmp_path: Path
) -> None:
    photos, files, pairs = results
    whole = evaluate(files, photos, pairs, OPTIONS, ScoreCache(tmp_path / "c"))
    (tmp_path / "results" / str(pairs[0].file)).write_bytes(b"\x89PNG\r\n\x1a\nno")
    Image.fromarray(photo("x", (32, 48))).save(tmp_path / "results" / str(pairs[1].file))
    (tmp_path / "results" / str(pairs[2].file)).unlink()
    result = evaluate(files, photos, pairs, OPTIONS, ScoreCache(tmp_path / "c"))
    reasons = {names[0]: reason for reason, names in result.problems.items()}
    assert reasons.keys() == {pair.file for pair in pairs[:3]}
    assert "not an image" in reasons[str(pairs[0].file)]
    assert "wrong size: 32x48, and the target has 64x48" in reasons[str(pairs[1].file)]
    assert "does not exist" in reasons[str(pairs[2].file)]
    assert [pair.file for pair in result.pairs] == [pairs[3].file]
    assert whole.scores[0].values is not None
    assert result.scores[0].values is not None
    assert result.scores[0].values[0] == whole.scores[0].values[3]
    assert hash_pairs(result.pairs) != hash_pairs(whole.pairs)
    (tmp_path / "results" / str(pairs[3].file)).unlink()
    with pytest.raises(InputError, match=r"theirs: none of 4 pairs could be scored: .*wrong size"):
        evaluate(files, photos, pairs, OPTIONS, ScoreCache(tmp_path / "c"))


def test_pairs_of_a_size_that_a_metric_cannot_compare_cost_no_others(tmp_path: Path) -> None:
    names = ("large.png", "small.png")
    for name, size in zip(names, ((64, 48), (8, 8)), strict=True):
        for folder in ("true", "results"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(photo(name, size)).save(tmp_path / folder / name)
    photos = FolderPhotos(tmp_path / "true")
    files = FilesMethod("theirs", tmp_path / "results", LAYOUTS["plain"])
    pairs = [Pair(None, name, name) for name in names]
    cache = ScoreCache(tmp_path / "c")
    for metrics, least in (("ssim", 11), ("st-lpips", 21)):
        result = evaluate(files, photos, pairs, MetricOptions((metrics,)), cache)
        assert [pair.target for pair in result.pairs] == ["large.png"]
        assert [(names, f"needs {least} a side" in why) for why, names in result.problems.items()] == [
            (["small.png"], True)
        ]
    assert not evaluate(files, photos, pairs, MetricOptions(("l1",)), cache).problems
    with pytest.raises(InputError, match="have no legacy-176 score"):
        evaluate(files, photos, pairs, MetricOptions(("ssim",), protocols=("legacy-176",)), cache)


def test_a_changed_file_is_measured_again(
    results: tuple[FolderPhotos, FilesMethod, list[Pair]], tmp_path: Path
) -> None:
    photos, files, pairs = results
    cache = ScoreCache(tmp_path / "c")
    before = evaluate(files, photos, pairs, OPTIONS, cache)
    better = photo(f"{pairs[0].target[:-4]}.jpg")
    Image.fromarray(better).save(tmp_path / "results" / str(pairs[0].file))
    after = evaluate(files, photos, pairs, OPTIONS, cache)
    assert before.scores[0].values is not None
    assert after.scores[0].values is not None
    assert after.scores[0].values[0] == 1 > before.scores[0].values[0]
    assert (after.scores[0].values[1:] == before.scores[0].values[1:]).all()


def test_a_changed_store_is_measured_again(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "c")
    found = []
    for shift in (0, 0, 9):
        path = write_store(tmp_path / "s.h5", count=20)
        with h5py.File(path, "r+") as file:
            file["images"][2] = np.roll(file["images"][2], shift, 1)
        method = Counting()
        found.append(evaluate(method, StorePhotos(path), PEOPLE, OPTIONS, cache).scores[0].value)
        path.unlink()
        assert method.asked == {0: 18 if len(found) == 1 else 0, 9: 2}[shift]  # as the source, and as the target
    assert found[0] == found[1] != found[2]


def test_images_of_176_columns_are_compared_with_the_middle_of_256(tmp_path: Path) -> None:
    (tmp_path / "true").mkdir()
    (tmp_path / "results").mkdir()
    for name in PHOTOS[:2]:
        wide = photo(name, (256, 256))
        Image.fromarray(wide).save(tmp_path / "true" / f"{name}.png")
        narrow = np.minimum(wide[:, 40:216].astype(int) + 9, 255).astype(np.uint8)
        Image.fromarray(narrow).save(tmp_path / "results" / f"{name}.png")
    photos = FolderPhotos(tmp_path / "true")
    pairs = [Pair(None, f"{name}.png", f"{name}.png") for name in PHOTOS[:2]]
    system = FilesMethod("narrow", tmp_path / "results", LAYOUTS["plain"])
    result = evaluate(system, photos, pairs, SETS, ScoreCache(tmp_path / "c"))
    assert result.cut == 2
    assert values(result)["l1"][0] == pytest.approx(9 / 255, rel=0.1)
    for name in PHOTOS[:2]:  # the same pictures: at no distance, if the true ones are cut as well
        Image.fromarray(photo(name, (256, 256))[:, 40:216]).save(tmp_path / "results" / f"{name}.png")
    same = evaluate(system, photos, pairs, SETS, ScoreCache(tmp_path / "c"))
    assert values(same)["vgg-relu2-frechet-test"][0] == pytest.approx(0, abs=1e-4)


def test_distances_from_the_training_set(results: tuple[FolderPhotos, FilesMethod, list[Pair]], tmp_path: Path) -> None:
    photos, files, pairs = results
    options = replace(SETS, against=("test", "train"))
    cache = ScoreCache(tmp_path / "c")
    none = evaluate(files, photos, pairs, options, cache)
    assert "folder of them" in none.missing["vgg-relu2-frechet-train"]
    some = values(evaluate(files, photos, pairs, options, cache, training=(photos, photos.names()[:2])))
    assert some["vgg-relu2-frechet-test"] == values(none)["vgg-relu2-frechet-test"]
    assert some["vgg-relu2-frechet-train"] != some["vgg-relu2-frechet-test"]


def test_distances_are_from_all_training_images_or_from_none(
    results: tuple[FolderPhotos, FilesMethod, list[Pair]], tmp_path: Path
) -> None:
    photos, files, pairs = results
    training = FolderPhotos(write_photos(tmp_path / "other" / "train"))
    (training.folder / training.names()[0]).write_bytes(b"no photo")
    options = MetricOptions(("vgg-relu2-frechet", "l1"), against=("test", "train"))
    result = evaluate(files, photos, pairs, options, ScoreCache(tmp_path / "c"), training=(training, training.names()))
    assert values(result).keys() == {"l1", "vgg-relu2-frechet-test"}
    why = result.missing["vgg-relu2-frechet-train"]
    assert why.startswith(f"1 of {len(PHOTOS)} images that it is taken from cannot be used, such as ")
    assert "not an image" in why


def test_scores_that_need_more_than_there_is(
    results: tuple[FolderPhotos, FilesMethod, list[Pair]], tmp_path: Path
) -> None:
    photos, files, pairs = results
    options = MetricOptions(("ssim", "mask-ssim", "figure-ssim", "miou", "pckh", "is", "fid", "lpips"))
    result = evaluate(files, photos, pairs, options, ScoreCache(tmp_path / "c"))
    assert [one.name for one in result.scores] == ["ssim-legacy", "mask-ssim-legacy"]
    assert result.missing.keys() == {"figure-ssim", "miou", "pckh", "is", "fid", "lpips"}
    assert "mediapipe" in result.missing["pckh"]
    assert "path" in result.missing["fid"]


def test_output_of_the_tests_is_no_copy_of_the_target() -> None:
    assert (output(*PAIRS[0]) != photo(PAIRS[0][1])).any()
    assert COPY.name == "copy-source"
