from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.joints import ARMS, HEAD_JOINTS, LEGS, Joint
from pgen.body.labels import Label
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import FoundPerson
from pgen.data.formats.keypoints import LoadedPose
from pgen.data.formats.pose_json import write_pose_json
from pgen.errors import InputError
from pgen.inference.inputs import read_person, read_target
from pgen.inference.parsing_maps import load_parsing
from tests.data.examples import SIZE, STANDING, example, write_store
from tests.data.pose_files import write_pose_csv

A = example(0)
EVERYWHERE = np.ones(SIZE, int)  # a map in which all is body


def test_files(tmp_path: Path) -> None:
    Image.fromarray(A.image).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", A.parsing)
    write_pose_csv(tmp_path / "poses.csv", {"b.png": STANDING + 1, "a.png": STANDING})
    source = read_person(tmp_path / "a.png", tmp_path / "poses.csv", tmp_path / "a.npy")
    assert source.name == "a.png"
    doubt = f"a.png: only 61% of the joints lie on the body of {tmp_path / 'a.npy'}; look at it"
    assert source.warnings == (doubt,)  # the map is of a garment
    np.testing.assert_array_equal(source.image, A.image)
    np.testing.assert_array_equal(source.pose, STANDING)
    np.testing.assert_array_equal(source.parsing, A.parsing)


def test_image_of_a_store_brings_its_annotations(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5")
    source = read_person(f"{path}:001.png")
    np.testing.assert_array_equal(source.image, example(1).image)
    np.testing.assert_array_equal(source.pose, example(1).pose)
    np.testing.assert_array_equal(source.parsing, example(1).parsing)
    other = read_person(f"{path}:001.png", pose=STANDING + 7, parsing=np.ones(SIZE, int))
    np.testing.assert_array_equal(other.pose, STANDING + 7)
    assert (other.parsing == 1).all()


def test_without_a_parser_there_is_no_map() -> None:
    with pytest.raises(InputError, match=r"none\.safetensors: there is no such file"):
        read_person(A.image, pose=STANDING, annotators=Annotators(parsing="pgen:none.safetensors"))


@pytest.mark.parametrize(
    ("image", "pose", "parsing", "message"),
    [
        (A.image.astype(float), STANDING, A.parsing, "scale and round it"),
        (A.image[..., :2], STANDING, A.parsing, "integers 0-255"),
        (A.image, STANDING[:17], A.parsing, r"\(18, 2\)"),
        (A.image, STANDING.astype(str), A.parsing, r"\(18, 2\)"),
        (A.image, STANDING, A.parsing.astype(float), "integer"),
        (A.image, STANDING, A.parsing[None], "integer"),
        (A.image, STANDING, A.parsing + 9, "0 to 9"),
        (A.image, STANDING, A.parsing.astype(int) - 1, "0 to 9"),
        (A.image, STANDING, np.zeros(SIZE, int), "nobody"),
        (A.image, STANDING, np.ones((128, 64), int), "128x64.*not the shape of .*128x128"),
        (A.image, STANDING * 4, A.parsing, "lie outside of the photo"),
        (A.image, STANDING * np.nan, A.parsing, "the pose: .*too little of the torso"),
        (A.image, LoadedPose(STANDING, (128, 64), "b.json"), A.parsing, "b.json.*128x64.*128x128"),
    ],
)
def test_refused(image: np.ndarray, pose: np.ndarray, parsing: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_person(image, pose, parsing)


def test_a_person_does_not_change_with_the_arrays_they_were_made_of() -> None:
    image, pose, parsing = A.image.copy(), STANDING.copy(), A.parsing.copy()
    person = read_person(image, pose, parsing)
    for given in (image, pose, parsing):
        given[:] = 0
    assert person == read_person(A.image, STANDING, A.parsing)


def test_map_of_another_size_is_scaled() -> None:
    small = np.arange(16, dtype=np.uint8).reshape(4, 4) % 10
    source = read_person(A.image, STANDING, small)
    np.testing.assert_array_equal(source.parsing, small.repeat(32, 0).repeat(32, 1))


def test_map_may_be_rounded_to_another_shape() -> None:
    image = np.zeros((1101, 750, 3), np.uint8)
    assert read_person(image, STANDING, np.ones((256, 176), int)).parsing.shape == (1101, 750)


def test_pose_of_a_scaled_photo() -> None:
    pose = LoadedPose((STANDING + 0.5) / 2 - 0.5, (64, 64), "small")
    np.testing.assert_allclose(read_person(A.image, pose, A.parsing).pose, STANDING, atol=1e-4)


def test_torso_is_completed_with_a_warning() -> None:
    pose = STANDING.copy()
    pose[Joint.L_HIP] = np.nan
    source = read_person(A.image, pose, A.parsing)
    assert len(source.warnings) == 2
    assert source.warnings[1].startswith("the pose: l_hip is missing")
    assert np.isfinite(source.pose[Joint.L_HIP]).all()


def test_frame_of_a_target(tmp_path: Path) -> None:
    write_pose_csv(tmp_path / "poses.csv", {"a.png": STANDING, "b.png": STANDING, "c.png": STANDING})
    Image.new("RGB", (200, 150)).save(tmp_path / "a.png")
    (tmp_path / "images").mkdir()
    Image.new("RGB", (210, 150)).save(tmp_path / "images/b.png")
    write_pose_json(tmp_path / "canvas.json", STANDING, (300, 400))
    write_pose_json(tmp_path / "plain.json", STANDING)
    store = write_store(tmp_path / "a.h5")
    frames = {
        "poses.csv:a.png": (150, 200),
        "poses.csv:b.png": (150, 210),
        "poses.csv:c.png": None,
        "canvas.json": (300, 400),
        "plain.json": None,
        f"{store.name}:002.png": SIZE,
    }
    assert {name: read_target(f"{tmp_path}/{name}").frame for name in frames} == frames
    assert read_target(STANDING).frame is None


def test_target_of_another_frame_than_the_photo_beside_it(tmp_path: Path) -> None:
    write_pose_csv(tmp_path / "poses.csv", {"a.png": STANDING})
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png.* of 18 joints lie outside"):
        read_target(tmp_path / "poses.csv")


def test_a_frame_of_a_list_that_does_not_fit_names_its_file(tmp_path: Path) -> None:
    person = {"pose_keypoints_2d": [float(number) for x, y in STANDING for number in (x, y, 0.9)]}
    content = {"frame_1": {"people": [person], "canvas_width": 2, "canvas_height": 128}}
    (tmp_path / "poses.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"poses\.json: frame_1: .* joints lie outside"):
        read_target(tmp_path / "poses.json")


def test_misspelt_bundled_pose() -> None:
    with pytest.raises(InputError, match=r"wlak does not exist.*did you mean .*walk"):
        read_target("wlak")


def test_entry_of_a_file_without_entries(tmp_path: Path) -> None:
    Image.fromarray(A.image).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png:b does not exist"):
        read_person(f"{tmp_path}/a.png:b", STANDING, A.parsing)
    with pytest.raises(InputError, match=r"name one of its images"):
        read_person(write_store(tmp_path / "a.h5"))


def test_load_parsing_says_what_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", A.parsing)
    assert load_parsing(tmp_path / "a.npy").name == str(tmp_path / "a.npy")


@pytest.mark.parametrize("kind", ["path", "bytes", "pil", "array", "integers", "list"])
def test_photos_of_every_kind(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(A.image).save(path)
    image = {
        "path": path,
        "bytes": path.read_bytes(),
        "pil": Image.open(path),
        "array": A.image,
        "integers": A.image.astype(int),
        "list": A.image.tolist(),
    }[kind]
    person = read_person(image, STANDING.tolist(), A.parsing.tolist())
    np.testing.assert_array_equal(person.photo, A.image)
    np.testing.assert_array_equal(person.pose, STANDING)
    np.testing.assert_array_equal(person.parsing, A.parsing)
    assert person.name == ("a.png" if kind in ("path", "pil") else "the photo")


def test_pillow_pictures_are_turned_upright_and_made_rgb() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.rot90(A.image).copy()).convert("RGBA")
    turned.getexif().update(exif)
    np.testing.assert_array_equal(read_person(turned, STANDING, A.parsing).photo, A.image)


def test_maps_of_pillow() -> None:
    palette = Image.fromarray(A.parsing).convert("P")
    np.testing.assert_array_equal(load_parsing(palette).labels, np.asarray(palette))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (b"no picture", "not an image"),
        ([[[0, 0, 256]]], "0 to 255"),
        ([[0, 1], [2]], "rows of one length"),
        (np.full((4, 4, 3), -1), "0 to 255"),
    ],
)
def test_refused_photos(image: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_person(image, STANDING, A.parsing)  # type: ignore[arg-type]


def test_missing_joints_in_a_list() -> None:
    joints = [[float(x), float(y)] for x, y in STANDING]
    joints[Joint.L_EAR] = [None, None]  # type: ignore[list-item]
    assert np.isnan(read_person(A.image, joints, A.parsing).pose[Joint.L_EAR]).all()


class OneOfTwo:
    """Finds two people, the second one waving."""

    name = "fake"

    def people(self, image: np.ndarray) -> list[FoundPerson]:
        return [FoundPerson(STANDING + shift, np.ones(18, np.float32)) for shift in (0, 5)]


def test_which_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    annotators = Annotators()
    monkeypatch.setattr(annotators, "_pose", OneOfTwo())
    for number, shift in ((None, 0), (0, 0), (1, 5)):
        person = read_person(A.image, None, EVERYWHERE, annotators, number=number)
        np.testing.assert_array_equal(person.pose, STANDING + shift)
    with pytest.raises(InputError, match="2 people"):
        read_person(A.image, None, EVERYWHERE, annotators, number=2)
    # A photo given as a pose: it is estimated.
    np.testing.assert_array_equal(read_target(Image.fromarray(A.image), annotators).pose, STANDING)
    assert read_target(A.image, annotators).frame == SIZE


def write_people(path: Path) -> Path:
    """Two people in one file, the second in a larger box."""
    people = [{"pose_keypoints_2d": np.c_[STANDING * scale, np.ones(18)].ravel().tolist()} for scale in (0.5, 1)]
    path.write_text(json.dumps({"people": people}))
    return path


@pytest.mark.parametrize("name", ["crowd.json", "crowd#2.json"])
def test_the_person_of_a_target_can_be_chosen(tmp_path: Path, name: str) -> None:
    crowd = write_people(tmp_path / name)
    for spec, scale in ((crowd, 1), (f"{crowd}#0", 0.5), (f"{crowd}#1", 1)):
        np.testing.assert_allclose(read_target(spec).pose, STANDING * scale, rtol=1e-5)
    for person, spec, scale in ((0, crowd, 0.5), (0, f"{crowd}#1", 1)):
        np.testing.assert_allclose(read_target(spec, Annotators(person=person)).pose, STANDING * scale, rtol=1e-5)
    with pytest.raises(InputError, match="no person 2"):
        read_target(f"{crowd}#2")


def test_the_number_of_a_person_is_for_files_of_several(tmp_path: Path) -> None:
    write_pose_json(tmp_path / "one.json", STANDING)
    found = read_target(tmp_path / "one.json", Annotators(person=3))
    np.testing.assert_allclose(found.pose, STANDING, atol=1e-3)
    Image.fromarray(A.image).save(tmp_path / "a.png")
    crowd = write_people(tmp_path / "crowd.json")
    for given in ({"pose": crowd, "number": 0}, {"pose": f"{crowd}#0"}):
        person = read_person(tmp_path / "a.png", parsing=EVERYWHERE, **given)
        np.testing.assert_allclose(person.pose, STANDING / 2, rtol=1e-5)


@pytest.mark.parametrize("kind", ["grey", "RGBA"])
def test_grey_and_transparent_arrays(kind: str) -> None:
    pixels = A.image[..., 1] if kind == "grey" else np.dstack([A.image, np.full(SIZE, 255, np.uint8)])
    expected = np.repeat(A.image[..., 1:2], 3, 2) if kind == "grey" else A.image
    np.testing.assert_array_equal(read_person(pixels, STANDING, A.parsing).image, expected)


def test_what_a_given_pose_lacks_is_told() -> None:
    pose = STANDING.copy()
    pose[[*HEAD_JOINTS, *ARMS[0][1:], LEGS[1][2]]] = np.nan
    told = [line for line in read_person(A.image, pose, A.parsing).warnings if "lacks" in line]
    lacking = "l_ankle, r_elbow, r_wrist, head"
    assert told == [f"the photo: the given pose lacks {lacking}, so that these parts are painted anew"]


@pytest.mark.parametrize("angle", [0, 45, 90, 180])
def test_who_lies_or_is_upside_down_is_told(angle: int) -> None:
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    pose = ((STANDING - 64) @ matrix * 0.8 + 64).astype(np.float32)
    person = read_person(A.image, pose, np.full(SIZE, int(Label.UPPER), np.uint8))
    assert any("upside down" in line for line in person.warnings) == (angle > 60)
