from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.joints import Joint
from pgen.data.formats.keypoints import LoadedPose, write_pose_csv, write_pose_json
from pgen.errors import InputError
from pgen.inference.person import BATCH, Person
from pgen.inference.predictor import Predictor
from tests.data.examples import SIZE, STANDING, example
from tests.inference.tiny import FRAME

A = example(0)
#: The standing person with the right arm raised.
WAVING = STANDING.copy()
WAVING[Joint.R_ELBOW], WAVING[Joint.R_WRIST] = (40, 25), (42, 8)


@pytest.fixture
def person(model: Predictor) -> Person:
    return model.person(A.image, A.pose, A.parsing)


def scaled(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``pose`` of the 128-pixel square in a frame of ``size``, each axis on its own."""
    return ((pose + 0.5) * np.array(size[::-1]) / SIZE - 0.5).astype(np.float32)


def test_five_lines(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(A.image).save("a.png")
    np.save("a.npy", A.parsing)
    write_pose_csv("poses.csv", {"a.png": STANDING, "b.png": WAVING})

    import pgen

    model = pgen.load(weights)
    person = model.person("a.png", pose="poses.csv", parsing="a.npy")
    person.generate("poses.csv:b.png").save("out.png")

    assert Image.open("out.png").size == (128, 128)
    with pytest.raises(InputError, match=r"out.png exists already"):
        person.generate("poses.csv:b.png").save("out.png")
    person.generate("poses.csv:b.png").save("out.png", force=True)


@pytest.mark.parametrize("size", [(256, 176), (300, 400), (1101, 750), (64, 64), (33, 500), (9, 7)])
def test_result_has_the_size_of_the_photo(model: Predictor, size: tuple[int, int]) -> None:
    image = np.asarray(Image.fromarray(A.image).resize(size[::-1]))
    labels = np.asarray(Image.fromarray(A.parsing).resize(size[::-1], Image.Resampling.NEAREST)).copy()
    labels[size[0] // 2, size[1] // 2] = 3
    person = model.person(image, scaled(STANDING, size), labels)
    result = person.generate(scaled(WAVING, size))
    assert (result.image.shape, result.image.dtype) == ((*size, 3), np.uint8)
    assert (result.parsing.shape, result.parsing.dtype) == (size, np.uint8)
    np.testing.assert_allclose(result.pose, scaled(WAVING, size), atol=1e-2)
    assert tuple(person.views.images.shape) == (1, 3, *FRAME)


def _rgba(path: Path) -> None:
    Image.fromarray(np.dstack([A.image, np.full(SIZE, 255, np.uint8)])).save(path.with_suffix(".png"))


def _grey(path: Path) -> None:
    Image.fromarray(A.image).convert("L").save(path.with_suffix(".png"))


def _cmyk(path: Path) -> None:
    Image.fromarray(A.image).convert("CMYK").save(path.with_suffix(".jpg"), quality=95)


def _rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(np.rot90(A.image).copy()).save(path.with_suffix(".png"), exif=exif)


def _sixteen_bits(path: Path) -> None:
    grey = np.asarray(Image.fromarray(A.image).convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(path.with_suffix(".png"))


@pytest.mark.parametrize("write", [_rgba, _grey, _cmyk, _rotated, _sixteen_bits])
def test_kinds_of_photos(model: Predictor, person: Person, tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / "photo")
    (path,) = tmp_path.iterdir()
    result = model.person(path, A.pose, A.parsing).generate(WAVING)
    assert result.image.shape == A.image.shape
    if write in (_rgba, _rotated):  # nothing of the picture is lost
        np.testing.assert_array_equal(result.image, person.generate(WAVING).image)


def test_pose_and_photo_matter(person: Person, model: Predictor) -> None:
    waving = person.generate(WAVING)
    assert (waving.image != person.generate(STANDING).image).any()
    other = model.person(example(5).image, A.pose, A.parsing).generate(WAVING)
    assert (waving.image != other.image).any()
    np.testing.assert_array_equal(waving.parsing, other.parsing)


def test_many_are_as_one_by_one(person: Person) -> None:
    poses = [WAVING + np.float32(shift) for shift in range(BATCH + 2)]
    many = list(person.generate_many(poses))
    assert [result.person for result in many] == [person] * len(poses)
    for pose, result in zip(poses, many, strict=True):
        np.testing.assert_allclose(result.pose, pose, atol=1e-3)
        alone = person.generate(pose)
        assert np.abs(result.image.astype(int) - alone.image).max() <= 1
        assert (result.parsing != alone.parsing).mean() < 0.01


def test_poses_are_refused_before_the_first_result(person: Person) -> None:
    with pytest.raises(InputError, match=r"too little of the torso"):
        person.generate_many([STANDING, STANDING * np.nan])


def test_known_frame_is_fitted_like_the_photo(person: Person) -> None:
    large = LoadedPose(scaled(WAVING, (512, 512)), (512, 512), "large")
    np.testing.assert_array_equal(person.generate(large).image, person.generate(WAVING).image)
    # A frame twice as wide as high: what was 64 high and 128 wide lies in rows 32 to 95 of the square.
    wide = LoadedPose(WAVING / 2, (64, 128), "wide")
    np.testing.assert_allclose(person.generate(wide).pose, WAVING / 2 + (0, 32), atol=1e-3)


def test_unknown_frame_is_the_photos(person: Person, tmp_path: Path) -> None:
    write_pose_json(tmp_path / "plain.json", WAVING)
    write_pose_json(tmp_path / "canvas.json", WAVING, (256, 256))
    np.testing.assert_allclose(person.generate(tmp_path / "plain.json").pose, WAVING, atol=1e-2)
    canvas = person.generate(tmp_path / "canvas.json").pose
    np.testing.assert_allclose(canvas, (WAVING + 0.5) / 2 - 0.5, atol=1e-2)


def test_given_map_is_painted(person: Person) -> None:
    layout = np.roll(A.parsing, 20, axis=1)
    result = person.generate(WAVING, layout)
    np.testing.assert_array_equal(result.parsing[::2, ::2], layout[1::2, 1::2])
    assert (result.image != person.generate(WAVING).image).any()


def test_map_in_the_frame_of_the_pose_or_of_the_photo(person: Person) -> None:
    wide = LoadedPose(WAVING / 2, (64, 128), "wide")
    of_pose = np.full((64, 128), 3, np.uint8)
    found = person.generate(wide, of_pose).parsing
    assert (found[32:96] == 3).all()
    assert not found[:32].any()
    assert (person.generate(wide, np.full((256, 256), 4, np.uint8)).parsing == 4).all()
    with pytest.raises(InputError, match=r"50x128.*wide.*64x128.*the photo.*128x128"):
        person.generate(wide, np.ones((50, 128), np.uint8))


def test_some_maps_given(person: Person) -> None:
    given, predicted = person.generate_many([WAVING, WAVING], [A.parsing, None])
    np.testing.assert_array_equal(given.parsing[::2, ::2], A.parsing[1::2, 1::2])
    np.testing.assert_array_equal(predicted.parsing, person.generate(WAVING).parsing)


def test_missing_hip_of_the_target_is_told(person: Person) -> None:
    pose = WAVING.copy()
    pose[Joint.R_HIP] = np.nan
    result = person.generate(pose)
    assert result.warnings[0].startswith("the pose: r_hip is missing")
    assert person.warnings == person.generate(WAVING).warnings == ()
