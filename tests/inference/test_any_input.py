"""Whatever a file or a value is like, readers and the checks of single photos take it, or raise `InputError`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import FoundMap, FoundPerson, ParsingRequest
from pgen.data.formats.images import read_image
from pgen.data.formats.keypoints import read_pose, read_poses
from pgen.data.formats.moving_pictures import is_moving, read_frames
from pgen.data.formats.pair_lists import read_names, read_pairs
from pgen.data.formats.parsing import read_painted, read_parsing
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_sequences import follow_person, read_pose_frames
from pgen.data.inspection import inspect_file
from pgen.data.names import PhotoNames
from pgen.data.readers.people import find_people
from pgen.data.readers.person_checks import check_label_ids, check_on_body, check_within
from pgen.data.readers.photo_checks import check_labels
from pgen.data.store import Store
from pgen.data.weights import describe, load_weights, read_state_dict
from pgen.errors import InputError
from pgen.inference.inputs import annotate_photo, read_person, read_target
from pgen.inference.targets import read_targets
from tests.data.damage import JUNK, any_array, damaged_bytes, damaged_json, damaged_text
from tests.data.examples import STANDING, any_pose, example, write_store
from tests.inference.tiny import write_weights

A = example(0)
SMALL = A.image[:24, :24]
POINTS = [value for x, y in STANDING for value in (float(x), float(y), 0.9)]
COCO = POINTS[:51]
PHOTOS = PhotoNames(["a.jpg", "b.jpg"], "photos")


@contextmanager
def taken_or_refused(path: Path | None = None, is_damaged: bool = True) -> Iterator[None]:
    """What is whole is taken; what is damaged may be refused, on one line that names the file."""
    try:
        yield
    except InputError as error:
        if not is_damaged or "\n" in str(error) or (path is not None and path.name not in str(error)):
            raise AssertionError(
                f"refused, though it is whole, or not on one line that names the file: {error}"
            ) from error


class StandIns(Annotators):
    """Finds ``people``, and a body where their joints are; without any network."""

    name = "a stand-in"

    def __init__(self, people: list[np.ndarray], **options: Any) -> None:
        super().__init__(**options)
        self.found = people

    def pose_annotator(self) -> Any:
        return self

    parsing_annotator = pose_annotator

    def people(self, image: np.ndarray) -> list[FoundPerson]:
        return [
            FoundPerson(pose, np.full(18, 0.8, np.float32), np.ones(image.shape[:2], np.float32)) for pose in self.found
        ]

    def parse(self, photos: list[ParsingRequest]) -> list[FoundMap]:
        return [
            FoundMap(np.full(photo.image.shape[:2], len(self.found) % 9, np.uint8), ("unsure",)) for photo in photos
        ]


def openpose(people: int) -> dict[str, Any]:
    person = {"pose_keypoints_2d": POINTS, "face_keypoints_2d": []}
    return {"version": 1.3, "people": [person] * people, "canvas_width": 128, "canvas_height": 128}


#: JSON of every kind that poses come in.
JSONS: dict[str, Any] = {
    "openpose": openpose(2),
    "body25": {"people": [{"pose_keypoints_2d": [0.5, 0.4, 0.9] * 25}], "canvas_width": 64, "canvas_height": 64},
    "frames": [openpose(1), openpose(2), {"people": []}],
    "named": {"frame_1": openpose(1), "frame_2": openpose(1)},
    "coco": {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 128, "width": 128}, {"id": 2, "file_name": "b.jpg"}],
        "annotations": [{"image_id": 1, "keypoints": COCO}, {"image_id": 2, "keypoints": COCO, "num_keypoints": 17}],
    },
    "alphapose": [{"image_id": f"{n}.jpg", "keypoints": COCO + [0.5] * 357, "score": 2.0} for n in (1, 1, 2)],
    "mmpose": {"instances": [{"keypoints": [[5.0, float(y)] for y in range(17)], "keypoint_scores": [0.9] * 17}] * 2},
    "mmpose_frames": {
        "meta_info": {"dataset_name": "coco", "keypoint_id2name": {"0": "nose"}},
        "instance_info": [
            {"frame_id": n, "instances": [{"keypoints": [[n, 9]] * 133, "keypoint_scores": [1] * 133}]} for n in (1, 2)
        ],
    },
}  # fmt: skip


def check_json(data: st.DataObject, folder: Path) -> None:
    path = folder / "pose.json"
    content, is_damaged = data.draw(damaged_json(JSONS[data.draw(st.sampled_from(sorted(JSONS)))]))
    path.write_bytes(content)
    size = data.draw(st.sampled_from([None, (128, 128)]))
    with taken_or_refused(path, is_damaged):
        read_poses(path, size)
    number, least = data.draw(st.sampled_from([None, 0, 1, 7])), data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    with taken_or_refused(path):
        read_pose(path, number, "a.jpg", size=size, min_confidence=least)
    with taken_or_refused(path):
        read_pose(f"{path}:a.jpg", number)
    with taken_or_refused(path):
        frames = read_pose_frames(path, data.draw(st.integers(1, 4)))
        if frames is not None:
            follow_person(frames, path, number, least)
    with taken_or_refused(path):
        read_targets([path], StandIns([]), 3, _no_progress)


def check_text(data: st.DataObject, folder: Path) -> None:
    row = f"[{', '.join(str(int(y)) for _, y in STANDING)}]: [{', '.join(str(int(x)) for x, _ in STANDING)}]"
    texts: dict[str, tuple[str, Callable[[Path], object]]] = {
        "k.csv": (f"name:keypoints_y:keypoints_x\na.jpg: {row}\nb.jpg: {row}\n", read_poses),
        "one.csv": (f"name:keypoints_y:keypoints_x\na.jpg:{row}\n", lambda path: read_target(path)),
        "pose.txt": ("".join(f"{x:g} {y:g}\n" for x, y in STANDING), read_poses),
        "pairs.csv": ("from,to\na.jpg,b.jpg\nb.jpg,a.jpg\n", lambda path: read_pairs([path])),
        "train.lst": ("a.jpg\r\nb.jpg\r\n", read_names),
        "pidm.txt": ("b.jpg,a.jpg\na.jpg,b.jpg\n", lambda path: read_pairs([path])),
        "scheme.toml": ('extends = "lip20"\n[labels]\n11 = ["scarf", "face"]\n', load_scheme),
        "people.csv": ("photo,person\na.jpg,anna\nb.jpg,ben\n", lambda path: find_people(path, PHOTOS)),
    }  # fmt: skip
    name = data.draw(st.sampled_from(sorted(texts)))
    text, read = texts[name]
    content, is_damaged = data.draw(damaged_text(text))
    path = folder / name
    path.write_bytes(content)
    with taken_or_refused(path, is_damaged):
        read(path)
    with taken_or_refused(path):
        inspect_file(str(path))


def _encode(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def check_pictures(data: st.DataObject, folder: Path) -> None:
    mode = data.draw(st.sampled_from(["RGB", "RGBA", "L", "P", "1", "I;16", "CMYK", "LA", "F"]))
    form = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"]))
    picture = Image.fromarray(SMALL[: data.draw(st.sampled_from([1, 2, 24]))])
    try:
        content = _encode(picture.convert(mode), form)
    except (OSError, ValueError, KeyError):
        content = _encode(picture, "PNG")
    content, is_damaged = data.draw(damaged_bytes(content))
    path = folder / f"a.{form.lower()}"
    path.write_bytes(content)
    with taken_or_refused(path, is_damaged or mode == "F"):
        read_image(path)
    for read in (
        read_parsing,
        read_painted,
        lambda path: inspect_file(str(path)),
        is_moving,
        lambda path: read_frames(path, 3),
    ):
        with taken_or_refused(path):
            read(path)


def check_maps(data: st.DataObject, folder: Path) -> None:
    array = data.draw(any_array())
    scheme = load_scheme(data.draw(st.sampled_from(["spt10", "lip20", "atr18", "adgan8", "ccp59"])))
    kind = data.draw(st.sampled_from(["npy", "mat", "png"]))
    path = folder / f"map.{kind}"
    if kind == "npy":
        file = io.BytesIO()
        np.save(file, array, allow_pickle=True)
        content = file.getvalue()
    elif kind == "mat" and array.dtype.kind not in "OM":
        file = io.BytesIO()
        savemat(file, {data.draw(st.sampled_from(["groundtruth", "x"])): array})
        content = file.getvalue()
    else:
        content = _encode(Image.fromarray(A.parsing[::4, ::4] + data.draw(st.integers(0, 246))), "PNG")
    path.write_bytes(data.draw(damaged_bytes(content, 2))[0])
    pose = data.draw(any_pose())
    with taken_or_refused(path):
        read_parsing(path, scheme, pose)
    with taken_or_refused(path):
        annotate_photo(A.image, STANDING, path, StandIns([]), parsing_scheme=scheme.name)


def check_stores(data: st.DataObject, folder: Path) -> None:
    whole, path = folder / "whole.h5", folder / "store.h5"
    if not whole.exists():
        write_store(whole, 3)
    path.write_bytes(whole.read_bytes())
    with h5py.File(path, "r+", locking=False) as file:
        for _ in range(data.draw(st.integers(1, 2))):
            name = data.draw(st.sampled_from([*sorted(_list_members(file)), ""]))
            part = file[name] if name else file
            attributes = sorted(part.attrs)
            if attributes and data.draw(st.booleans()):
                junk = data.draw(
                    st.one_of(JUNK.filter(_fits_hdf5), st.sampled_from([np.bytes_(b"\xff{"), np.void(b"x")]))
                )
                key = data.draw(st.sampled_from(attributes))
                del part.attrs[key]
                if data.draw(st.booleans()):
                    part.attrs[key] = junk
            elif name:
                new = data.draw(any_array().filter(lambda one: one.dtype.kind not in "OUM"))
                del file[name]
                if data.draw(st.booleans()):
                    file[name] = new
    with taken_or_refused(path), Store(path) as store:
        for index in range(min(2, len(store))):
            store.example(index)
        store.pseudo_labels()
        store.pairs("test")
        store.find("000.png")
    for read in (
        lambda: read_person(f"{path}:000.png"),
        lambda: read_target(f"{path}:001.png"),
        lambda: inspect_file(str(path)),
    ):
        with taken_or_refused(path):
            read()


def _list_members(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visit(names.append)
    return names


def _fits_hdf5(value: Any) -> bool:
    return isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**62)


def check_weights(data: st.DataObject, folder: Path) -> None:
    whole, path = folder / "whole.safetensors", folder / "net.safetensors"
    if not whole.exists():
        write_weights(whole, appearance=False, frame=(64, 64))
    content = whole.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["pgen"]) if "pgen" in header.get("__metadata__", {}) else None
    if inner is not None and data.draw(st.booleans()):
        header["__metadata__"]["pgen"] = data.draw(damaged_json(inner, 2))[0].decode("utf-8", "replace")
        changed = json.dumps(header).encode()
    else:
        changed = data.draw(damaged_json(header, 2))[0]
    size = data.draw(st.sampled_from([len(changed), len(changed), length, 2**62]))
    path.write_bytes(size.to_bytes(8, "little") + changed + content[8 + length :])
    for read in (describe, load_weights, lambda path: inspect_file(str(path))):
        with taken_or_refused(path):
            read(path)


def check_checkpoints(data: st.DataObject, folder: Path) -> None:
    path = folder / "net.pth"
    kinds: dict[str, Any] = {
        "tensors": {"a.weight": torch.zeros(2, 2)}, "nested": {"state": {"a": torch.ones(1)}}, "list": [torch.ones(1)],
        "number": {"a": 3}, "nan": {"a": torch.tensor([float("nan")])}, "object": {"a": Path("x")},
    }  # fmt: skip
    file = io.BytesIO()
    torch.save(kinds[data.draw(st.sampled_from(sorted(kinds)))], file)
    path.write_bytes(data.draw(damaged_bytes(file.getvalue(), 2))[0])
    with taken_or_refused(path):
        read_state_dict(path)


def check_motions(data: st.DataObject, folder: Path) -> None:
    place = folder / f"motion{data.draw(st.integers(0, 3))}"
    place.mkdir(exist_ok=True)
    for number in range(3):
        content = data.draw(damaged_json(openpose(1), 1))[0]
        (place / f"clip_{number:012}_keypoints.json").write_bytes(content)
    with taken_or_refused():
        read_targets([place], StandIns([]), data.draw(st.integers(1, 3)), _no_progress)
    gif = folder / "a.gif"
    frames = [Image.fromarray(SMALL), Image.fromarray(255 - SMALL)]
    content = _encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    gif.write_bytes(data.draw(damaged_bytes(content))[0])
    with taken_or_refused(gif):
        read_targets([gif], StandIns([STANDING]), 2, _no_progress)


class _NoProgress:
    def __enter__(self) -> Callable[..., None]:
        return lambda *arguments: None

    def __exit__(self, *error: object) -> None:
        return None


def _no_progress(*arguments: object) -> Any:
    return _NoProgress()


def check_single_photos(data: st.DataObject, folder: Path) -> None:
    """The checks themselves, of any pose in the place of somebody else's."""
    poses = st.one_of(st.just(STANDING), st.just(STANDING * 2), st.just(STANDING[:, ::-1]), any_pose(-400))
    pose = data.draw(st.one_of(st.none(), poses, poses, any_array()))
    image = data.draw(st.one_of(st.just(A.image), st.just(A.image), any_array()))
    parsing = data.draw(st.one_of(st.none(), st.just(A.parsing), st.just(A.parsing * 6), any_array()))
    people = data.draw(st.lists(poses, max_size=2))
    scheme = data.draw(st.sampled_from([None, None, "lip20", "no-such-scheme"]))
    frame = data.draw(st.sampled_from([None, None, (256, 176), (64, 64), (1, 1)]))
    annotators, number = (
        StandIns(people, person=data.draw(st.sampled_from([None, 0, 5]))),
        data.draw(st.sampled_from([None, 1])),
    )
    with taken_or_refused():
        annotate_photo(image, pose, parsing, annotators, number, frame, scheme, data.draw(st.booleans()))
    with taken_or_refused():
        read_person(
            image, pose, parsing, annotators, data.draw(st.sampled_from([None, (64, 64), (256, 176)])), number, frame
        )
    known = data.draw(poses)
    with taken_or_refused():
        check_within(known, (128, 128), "a pose", "a photo")
    with taken_or_refused():
        check_on_body(known, A.parsing, "a map", "a pose", data.draw(st.booleans()))
    ids = np.random.default_rng(data.draw(st.integers(0, 99))).integers(
        0, data.draw(st.sampled_from([5, 30])), (128, 128)
    )
    with taken_or_refused():
        check_label_ids(ids, load_scheme("lip20"), "a map")
        check_labels(ids, load_scheme("lip20"), known, "a map")


CHECKS = (
    check_json, check_text, check_pictures, check_maps, check_stores, check_weights, check_checkpoints, check_motions,
    check_single_photos,
)  # fmt: skip
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@settings(max_examples=12, derandomize=True, **QUIET)
@given(data=st.data())
def test_any_input(folder: Path, check: Callable[[st.DataObject, Path], None], data: st.DataObject) -> None:
    check(data, folder)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@settings(max_examples=2300, **QUIET)
@given(data=st.data())
def test_twenty_thousand_inputs(
    folder: Path, check: Callable[[st.DataObject, Path], None], data: st.DataObject
) -> None:
    check(data, folder)
