"""DeepFashion in miniature, in each of the layouts that people have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.data.trees import (
    Shot,
    high_resolution,
    in_scheme,
    padded,
    pairs_of,
    shots,
    write_csv,
    write_map,
    write_pairs,
    write_photo,
)

Tree = Callable[[Path], None]


def annotate(root: Path, prefix: str, shift: int, name: Callable[[Shot], str] = lambda shot: shot.flat) -> None:
    """Keypoints of both splits, in the frame between the sides moved by ``shift``, and pairs for testing."""
    for split in ("train", "test"):
        own = [shot for shot in shots() if shot.tested == (split == "test")]
        poses = {name(shot): shot.example.pose + np.array((shift, 0)) for shot in own}
        write_csv(root / f"{prefix}-annotation-{split}.csv", poses)
    write_pairs(root / f"{prefix}-pairs-test.csv", pairs_of(lambda shot: shot.flat, shots()))


def low_resolution(root: Path) -> None:
    """Nested 256x256 photos with white sides; SPT's maps, flat; keypoints of 256x256."""
    for shot in shots():
        whole = padded(shot.example)
        write_photo(root / "img" / shot.nested, whole.image)
        write_map(root / "parsing" / f"{shot.flat.removesuffix('.jpg')}.npy", whole.parsing)
    annotate(root, "fasion", 40)


def flat_folders(root: Path) -> None:
    """Flat 256x176 photos in train/ and test/; nested maps of 256x176; keypoints of 256x176; the right spelling."""
    for shot in shots():
        write_photo(root / ("test" if shot.tested else "train") / shot.flat, shot.example.image)
        write_map(root / "parsing" / f"{shot.nested.removesuffix('.jpg')}.png", shot.example.parsing)
    annotate(root, "fashion-resize", 0)


def high(root: Path) -> None:
    """Photos in high resolution; maps and keypoints as small as ever; lists, in CRLF, that leave two photos out."""
    for shot in shots():
        whole = padded(shot.example)
        write_photo(root / "img_highres" / shot.nested, high_resolution(whole.image))
        write_map(root / "parsing" / shot.flat.replace(".jpg", ".npy"), whole.parsing, np.int8)
    write_photo(root / "img_highres/MEN/Denim/id_00000001/01_1_front.jpg", np.zeros((1101, 750, 3), np.uint8))
    annotate(root, "fasion-resize", 0)
    for split in ("train", "test"):
        names = [shot.flat for shot in shots() if shot.tested == (split == "test")]
        (root / f"{split}.lst").write_bytes("\r\n".join(names).encode())


def narrow_keypoints(root: Path) -> None:
    """256x256 photos whose keypoints are of 256x176, under the name that elsewhere means 256x256."""
    low_resolution(root)
    annotate(root, "fasion", 0, lambda shot: shot.nested)


def in_images(root: Path) -> None:
    """256x256 photos, flat, in images/; one keypoint file; a list of pairs without header, the target first."""
    for shot in shots():
        whole = padded(shot.example)
        write_photo(root / "images" / shot.flat, whole.image)
        write_map(root / "images" / shot.flat.replace(".jpg", ".npy"), whole.parsing)
    poses = {f"img/{shot.nested}": shot.example.pose + np.array((40, 0)) for shot in shots()}
    write_csv(root / "keypoints.csv", poses, ":")
    lines = [f"{target},{source}" for source, target in pairs_of(lambda shot: shot.flat, shots())]
    (root / "test_pairs.txt").write_text("\n".join(lines))


def adgan_maps(root: Path) -> None:
    """Photos with white sides; ADGAN's maps, 256x176 and without sides."""
    low_resolution(root)
    for path in (root / "parsing").iterdir():
        path.unlink()
    for shot in shots():
        write_map(root / "parsing" / f"{shot.flat}.npy", in_scheme(shot.example.parsing, "adgan8"))
