from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.hidden_legs import place_hidden_legs
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.data.annotators.choose import Annotators
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.formats.pose_json import write_pose_json
from pgen.errors import InputError
from pgen.inference.inputs import PoseLike
from pgen.inference.parsing_maps import ParsingLike
from pgen.inference.person import Person
from pgen.inference.predictor import BATCH, Predictor
from pgen.inference.result import Result
from pgen.inference.targets import _list_items, read_targets
from pgen.runtime.progress import show_nothing
from tests.data.examples import SIZE, STANDING, example
from tests.data.pose_files import write_pose_csv
from tests.inference.tiny import FRAME

pytestmark = pytest.mark.usefixtures("no_silhouettes")

A = example(0)
#: The standing person with the right arm raised.
WAVING = STANDING.copy()
WAVING[Joint.R_ELBOW], WAVING[Joint.R_WRIST] = (40, 25), (42, 8)


@pytest.fixture
def person(model: Predictor) -> Person:
    return model.person(A.image, A.pose, A.parsing, crop=False)


def generate(model: Predictor, person: Person, pose: PoseLike, parsing: ParsingLike | None = None) -> Result:
    """The person in that very pose."""
    return model.generate(person, pose, parsing, retarget="none")


def scaled(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``pose`` of the 128-pixel square in a frame of ``size``, each axis on its own."""
    return ((pose + 0.5) * np.array(size[::-1]) / SIZE - 0.5).astype(np.float32)


def test_unknown_names_of_poses_bring_those_that_there_are() -> None:
    nobody = Annotators()
    for name, told in (
        ("walking", "did you mean walk"),
        ("arms_up", "did you mean arms-up"),
        ("zzz", "are stand, walk"),
    ):
        with pytest.raises(InputError, match=told) as error:
            read_targets([name], nobody, 8, show_nothing)
        assert error.value.option == "pose"


def test_five_lines(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(A.image).save("a.png")
    np.save("a.npy", A.parsing)
    write_pose_csv("poses.csv", {"a.png": STANDING, "b.png": WAVING})

    import pgen

    predictor = pgen.load(weights)
    person = predictor.person("a.png", pose="poses.csv", parsing="a.npy")
    predictor.generate(person, "poses.csv:b.png").save("out.png")

    assert Image.open("out.png").size == person.crop.size[::-1]


@pytest.mark.parametrize("size", [(256, 176), (300, 400), (551, 375), (33, 500), (9, 7)])
def test_result_has_the_size_of_the_photo(model: Predictor, size: tuple[int, int]) -> None:
    image = np.asarray(Image.fromarray(A.image).resize(size[::-1]))
    labels = np.asarray(Image.fromarray(A.parsing).resize(size[::-1], Image.Resampling.NEAREST)).copy()
    labels[size[0] // 2, size[1] // 2] = 3
    person = model.person(image, scaled(STANDING, size), labels, crop=False)
    result = generate(model, person, scaled(WAVING, size))
    assert (result.image.shape, result.image.dtype) == ((*size, 3), np.uint8)
    assert (result.parsing.shape, result.parsing.dtype) == (size, np.uint8)
    np.testing.assert_allclose(result.pose, scaled(WAVING, size), atol=1e-2)
    assert tuple(model.networks.frame_person(person).batch.images.shape) == (1, 3, *FRAME)


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
    result = generate(model, model.person(path, A.pose, A.parsing, crop=False), WAVING)
    assert result.image.shape == A.image.shape
    if write in (_rgba, _rotated):  # nothing of the picture is lost
        np.testing.assert_array_equal(result.image, generate(model, person, WAVING).image)


def test_pose_and_photo_matter(model: Predictor, person: Person) -> None:
    waving = generate(model, person, WAVING)
    assert (waving.image != generate(model, person, STANDING).image).any()
    other = generate(model, model.person(example(5).image, A.pose, A.parsing, crop=False), WAVING)
    assert (waving.image != other.image).any()
    np.testing.assert_array_equal(waving.parsing, other.parsing)


def test_many_are_as_one_by_one(model: Predictor, person: Person) -> None:
    poses = [WAVING + np.float32(shift) for shift in range(BATCH + 2)]
    many = list(model.generate_many(person, poses, retarget="none"))
    assert [result.person for result in many] == [person] * len(poses)
    for pose, result in zip(poses, many, strict=True):
        np.testing.assert_allclose(result.pose, pose, atol=1e-3)
        alone = generate(model, person, pose)
        assert np.abs(result.image.astype(int) - alone.image).max() <= 1
        assert (result.parsing != alone.parsing).mean() < 0.01


def test_poses_are_refused_before_the_first_result(model: Predictor, person: Person) -> None:
    with pytest.raises(InputError, match=r"too little of the torso"):
        model.generate_many(person, [STANDING, STANDING * np.nan])


def test_known_frame_is_fitted_like_the_photo(model: Predictor, person: Person) -> None:
    large = LoadedPose(scaled(WAVING, (512, 512)), (512, 512), "large")
    np.testing.assert_array_equal(generate(model, person, large).image, generate(model, person, WAVING).image)
    # A frame twice as wide as high: what was 64 high and 128 wide lies in rows 32 to 95 of the square.
    wide = LoadedPose(WAVING / 2, (64, 128), "wide")
    np.testing.assert_allclose(generate(model, person, wide).pose, WAVING / 2 + (0, 32), atol=1e-3)


def test_unknown_frame_is_the_photos(model: Predictor, person: Person, tmp_path: Path) -> None:
    write_pose_json(tmp_path / "plain.json", WAVING)
    write_pose_json(tmp_path / "canvas.json", WAVING, (256, 256))
    np.testing.assert_allclose(generate(model, person, tmp_path / "plain.json").pose, WAVING, atol=1e-2)
    canvas = generate(model, person, tmp_path / "canvas.json").pose
    np.testing.assert_allclose(canvas, (WAVING + 0.5) / 2 - 0.5, atol=1e-2)


def test_given_map_is_painted(model: Predictor, person: Person) -> None:
    layout = np.roll(A.parsing, 20, axis=1)
    result = generate(model, person, WAVING, layout)
    np.testing.assert_array_equal(result.parsing[::2, ::2], layout[1::2, 1::2])
    assert (result.image != generate(model, person, WAVING).image).any()


def test_map_in_the_frame_of_the_pose_or_of_the_photo(model: Predictor, person: Person) -> None:
    wide = LoadedPose(WAVING / 2, (64, 128), "wide")
    of_pose = np.full((64, 128), 3, np.uint8)
    found = generate(model, person, wide, of_pose).parsing
    assert (found[32:96] == 3).all()
    assert not found[:32].any()
    assert (generate(model, person, wide, np.full((256, 256), 4, np.uint8)).parsing == 4).all()
    with pytest.raises(InputError, match=r"50x128.*wide.*64x128.*the photo.*128x128"):
        generate(model, person, wide, np.ones((50, 128), np.uint8))


def test_a_map_of_another_pose_is_told(model: Predictor, person: Person) -> None:
    aside = np.zeros((128, 128), np.uint8)
    aside[:, 100:] = 3
    (told,) = (line for line in generate(model, person, WAVING, aside).warnings if "joints" in line)
    assert told.startswith("the pose: only ")
    assert told.endswith("% of its joints lie on the given map, which rules")
    everywhere = generate(model, person, WAVING, np.full((128, 128), 3, np.uint8))
    assert not any("joints" in line for line in everywhere.warnings)


def test_a_map_keeps_its_pose_where_it_is(model: Predictor, person: Person) -> None:
    aside = LoadedPose(scaled(WAVING, (256, 256)), (256, 256), "aside")
    layout = np.roll(A.parsing, 10, axis=1).repeat(2, 0).repeat(2, 1)
    for retarget in ("each", "motion"):
        given = next(iter(model.generate_many(person, [aside], [layout], retarget)))
        np.testing.assert_array_equal(given.pose, generate(model, person, aside, layout).pose)
        np.testing.assert_array_equal(given.parsing, generate(model, person, aside, layout).parsing)


def test_a_map_of_the_whole_photo_is_cropped_with_the_pose(model: Predictor) -> None:
    photo, map_ = np.full((512, 384, 3), 90, np.uint8), np.zeros((512, 384), np.uint8)
    photo[200:328, 100:228], map_[200:328, 100:228] = A.image, A.parsing
    pose = A.pose + np.float32([100, 200])
    cropped = model.person(photo, pose, map_)
    assert cropped.crop.size != map_.shape
    result = generate(model, cropped, pose, map_)
    same = generate(model, cropped, pose, cropped.crop.of(map_))
    np.testing.assert_array_equal(result.parsing, same.parsing)


def test_people_whose_legs_are_hidden_stand_where_they_stood(model: Predictor) -> None:
    pose, worn = A.pose.copy(), A.parsing.copy()
    worn[int(pose[Joint.R_HIP, 1]) : int(pose[Joint.R_ANKLE, 1]) + 4, 45:84] = Label.SKIRT
    pose[[Joint.R_KNEE, Joint.R_ANKLE, Joint.L_KNEE, Joint.L_ANKLE]] = np.nan
    hidden = model.person(A.image, pose, worn, crop=False)
    own = place_hidden_legs(hidden.pose, hidden.parsing)
    ankles = [Joint.R_ANKLE, Joint.L_ANKLE]
    assert np.isfinite(own[ankles]).all()
    target = LoadedPose(scaled(STANDING, (512, 512)), (512, 512), "large")
    found = next(iter(model.generate_many(hidden, [target]))).pose
    assert found[ankles, 1].max() == pytest.approx(own[ankles, 1].max(), abs=1)


def test_some_maps_given(model: Predictor, person: Person) -> None:
    given, predicted = model.generate_many(person, [WAVING, WAVING], [A.parsing, None], "none")
    np.testing.assert_array_equal(given.parsing[::2, ::2], A.parsing[1::2, 1::2])
    np.testing.assert_array_equal(predicted.parsing, generate(model, person, WAVING).parsing)


def test_missing_hip_of_the_target_is_told(model: Predictor, person: Person) -> None:
    pose = WAVING.copy()
    pose[Joint.R_HIP] = np.nan
    result = generate(model, person, pose)
    assert result.warnings[0].startswith("the pose: r_hip is missing")
    assert generate(model, person, WAVING).warnings == ()


def test_by_default_poses_take_on_the_body(model: Predictor, person: Person) -> None:
    large = LoadedPose(scaled(WAVING, (512, 512)), (512, 512), "large")
    low = LoadedPose(scaled(WAVING, (512, 512)) + np.float32([0, 90]), (512, 512), "low")
    by_default, low_result = model.generate(person, large), model.generate(person, low)
    np.testing.assert_allclose(by_default.pose, low_result.pose, atol=0.2)
    np.testing.assert_array_equal(by_default.pose, next(model.generate_many(person, [large])).pose)
    np.testing.assert_array_equal(by_default.pose, model.generate(person, large, retarget="each").pose)
    moved = [result.pose for result in model.generate_many(person, [large, low], retarget="motion")]
    assert moved[1][Joint.NECK, 1] - moved[0][Joint.NECK, 1] > 10


@pytest.mark.parametrize("retarget", [True, False, None, "no", "Each"])
def test_retarget_is_one_of_three(model: Predictor, person: Person, retarget: object) -> None:
    with pytest.raises(InputError, match="'each', 'motion', 'none'") as caught:
        model.generate_many(person, [WAVING], retarget=retarget)  # type: ignore[arg-type]
    assert caught.value.option == "retarget"


GAPS: list[list[float] | list[None] | None] = [*WAVING[:-2].tolist(), [None, None], None]


@pytest.mark.parametrize("poses", ["walk", WAVING, WAVING.tolist(), LoadedPose(WAVING, None, "one"), GAPS])
def test_one_pose_is_one(model: Predictor, person: Person, poses: PoseLike) -> None:
    assert len(list(model.generate_many(person, poses))) == 1


def test_grey_pictures_are_looked_at(model: Predictor, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def estimate(image: np.ndarray, *_: object) -> tuple[LoadedPose, None]:
        seen.append(image.shape)
        return LoadedPose(WAVING, SIZE, "grey"), None

    monkeypatch.setattr("pgen.inference.inputs._estimate_pose", estimate)
    model.generate(person, np.zeros((90, 60), np.uint8))
    assert seen == [(90, 60, 3)]


def test_one_picture_is_one() -> None:
    picture = np.zeros((40, 30, 3), np.uint8)
    assert [item.shape for item in _list_items(picture)] == [picture.shape]
    assert [item.shape for item in _list_items(picture.astype(np.int64))] == [picture.shape]
    assert len(_list_items(np.stack([WAVING, WAVING]))) == 2
    assert len(_list_items([WAVING.tolist(), "walk"])) == 2


def test_a_map_for_each_pose(model: Predictor, person: Person) -> None:
    with pytest.raises(InputError, match="2 poses and 1 parsing maps"):
        model.generate_many(person, [WAVING, WAVING], [A.parsing])
