"""Examples as the store keeps them: fitted into its frame, images and parsing maps compressed, ready to be appended.

This is the part of `pgen.data.build_store` that worker processes do; it starts fast, without torch.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.crop import Letterbox
from pgen.body.joints import JOINT_COUNT, TORSO_JOINTS, known_joints
from pgen.body.labels import LABEL_COUNT
from pgen.data.example import SPLITS, Drop, Example, Job, Split

#: Level of gzip, see the table in `pgen.data.store`.
GZIP_LEVEL = 1


@dataclass(frozen=True)
class PackedExample:
    """One row of a store."""

    name: str
    person: str
    split: Split
    attributes: str  # JSON object of strings
    sources: str  # JSON list of [file, hash], the files it was read from
    pose: NDArray[np.float32]  # (18, 2)
    image: bytes  # zlib of uint8 (H, W, 3)
    parsing: bytes  # zlib of uint8 (H, W)
    carried: bytes = b""  # zlib of uint8 (H, W), empty if it is not known; likewise
    silhouette: bytes = b""
    is_estimated: bool = False  # whether the parsing map is an estimate


#: What comes of an item of a data set: a row, or why there is none.
Entry = PackedExample | Drop

_HEAD = struct.Struct("<II")  # CRC-32 of all that follows, and the length of the JSON


def pack_example(example: Example, size: tuple[int, int], sources: Sequence[tuple[str, str]] = ()) -> PackedExample:
    """``example``, whose photo has the ``size`` (height, width), as a row of a store.

    ``sources`` are the files it was read from, with their hashes. Raises ValueError for wrong shapes or types.
    """
    expected = [("image", example.image, (*size, 3)), ("parsing map", example.parsing, size)]
    expected += [(name, mask, size) for name, mask in example.masks.items()]
    for what, pixels, shape in expected:
        if pixels.shape != shape or pixels.dtype != np.uint8:
            raise ValueError(f"{example.name}: {what} is not uint8 {shape}")
    if example.parsing.max(initial=0) >= LABEL_COUNT:
        raise ValueError(f"{example.name}: parsing map has ids over {LABEL_COUNT - 1}")
    if example.pose.shape != (JOINT_COUNT, 2):
        raise ValueError(f"{example.name}: pose is not {(JOINT_COUNT, 2)}")
    if example.split not in SPLITS:
        raise ValueError(f"{example.name}: split {example.split!r} is not one of {SPLITS}")
    return PackedExample(
        name=example.name,
        person=example.person,
        split=example.split,
        attributes=json.dumps(dict(example.attributes)),
        sources=json.dumps([list(source) for source in sources]),
        pose=np.asarray(example.pose, np.float32),
        image=_compress(example.image),
        parsing=_compress(example.parsing),
        is_estimated=example.is_estimated,
        **{name: _compress(mask) for name, mask in example.masks.items()},
    )


def _compress(array: NDArray[np.uint8]) -> bytes:
    return zlib.compress(np.ascontiguousarray(array).data, GZIP_LEVEL)


def pack_item(item: Job | Example | Drop, size: tuple[int, int], root: Path | None) -> PackedExample | Drop:
    """Read ``item`` if it is a job, fit it into ``size``, and pack it; or say why it cannot be used.

    Photos without both shoulders and both hips cannot. Source files are named relative to ``root`` if they lie in it.
    """
    example = item.read(*item.arguments) if isinstance(item, Job) else item
    if isinstance(example, Drop):
        return example
    try:
        f"{example.name}{example.person}".encode()
    except UnicodeEncodeError:  # bytes of a file name that are no UTF-8
        return Drop(example.name, "name is not UTF-8", "rename it")
    missing = [joint.name.lower() for joint in TORSO_JOINTS if not known_joints(example.pose)[joint]]
    if missing:
        return Drop(example.name, "torso joints missing", ", ".join(missing))
    files = [file for file in item.files if file.is_file()] if isinstance(item, Job) else []
    if example.image.shape[:2] != size:
        fit = Letterbox.of((example.image.shape[0], example.image.shape[1]), size)
        image, parsing, pose = fit.image(example.image), fit.parsing(example.parsing), fit.pose(example.pose)
        masks = {name: fit.mask(mask, is_soft=name == "silhouette") for name, mask in example.masks.items()}
        example = replace(example, **masks)  # type: ignore[arg-type]
        example = replace(example, image=image, parsing=parsing, pose=pose)
    return pack_example(example, size, [(name_source(file, root), content_hash(file)) for file in files])


def name_source(file: Path, root: Path | None) -> str:
    """How ``file`` is called in a store: by its path in ``root`` if it lies there."""
    return file.relative_to(root).as_posix() if root is not None and file.is_relative_to(root) else str(file)


def content_hash(file: Path) -> str:
    """BLAKE2b of the bytes of ``file``, 128 bits in hexadecimal, as ``b2sum -l 128`` prints it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def entry_to_bytes(entry: Entry) -> bytes:
    """``entry`` as it is kept until the store is written: its texts in JSON, then its arrays."""
    blobs: dict[str, bytes] = {}
    head: dict[str, Any] = {"drop": vars(entry)}
    if not isinstance(entry, Drop):
        values = vars(entry) | {"pose": entry.pose.astype("<f4").tobytes()}
        blobs = {name: value for name, value in values.items() if isinstance(value, bytes)}
        texts = {name: value for name, value in values.items() if name not in blobs}
        head = {"texts": texts, "lengths": {name: len(value) for name, value in blobs.items()}}
    text = json.dumps(head).encode()
    body = b"".join((len(text).to_bytes(4, "little"), text, *blobs.values()))
    return zlib.crc32(body).to_bytes(4, "little") + body


def entry_from_bytes(data: bytes) -> Entry:
    """What `entry_to_bytes` was given. Raises ValueError if ``data`` is damaged."""
    try:
        crc, length = _HEAD.unpack_from(data)
        if crc != zlib.crc32(data[4:]):
            raise ValueError("the checksum differs")
        start = _HEAD.size + length
        head = json.loads(data[_HEAD.size : start])
        if "drop" in head:
            return Drop(**head["drop"])
        blobs: dict[str, Any] = {}
        for name, size in head["lengths"].items():
            blobs[name], start = data[start : start + size], start + size
        blobs["pose"] = np.frombuffer(blobs["pose"], "<f4").reshape(JOINT_COUNT, 2)
        return PackedExample(**head["texts"], **blobs)
    except (struct.error, KeyError, TypeError) as error:
        raise ValueError("no entry") from error
