"""Hostile files: broken, mistaken and malicious; and good ones, for commands that take both."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from PIL import Image

from pgen.data.formats.parsing import write_parsing
from pgen.data.formats.pose_json import write_pose_json
from tests.data.examples import STANDING, example, write_folder, write_store
from tests.data.pose_files import write_pose_csv
from tests.inference.tiny import write_weights

A = example(0)


def write_good(folder: Path) -> None:
    """What commands are given beside the hostile input."""
    Image.fromarray(A.image).save(folder / "a.png")
    Image.fromarray(A.image[:, ::-1]).save(folder / "b.png")
    write_pose_json(folder / "p.json", STANDING, A.parsing.shape)
    write_parsing(folder / "m.png", A.parsing)
    write_weights(folder / "w.safetensors")
    write_store(folder / "d.h5")
    write_folder(folder / "set")
    (folder / "results").mkdir()
    for name in ("a__b.png", "b__c.png"):
        Image.fromarray(A.image).save(folder / "results" / name)


class _Escape:
    """What would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.system, ("touch escaped",)


def write_hostile(folder: Path) -> list[str]:
    """Broken, mistaken and malicious files; returns what to give for each."""
    whole = (folder.parent / "a.png").read_bytes()
    store = (folder.parent / "d.h5").read_bytes()
    weights = (folder.parent / "w.safetensors").read_bytes()
    pose = json.loads((folder.parent / "p.json").read_text())
    files: dict[str, bytes] = {
        "empty.png": b"",
        "text.png": b"not a picture\n",
        "cut.png": whole[: len(whole) // 2],
        "noise.bin": os.urandom(999),
        "huge.png": _claim_size(60_000, 60_000),
        "bomb.png": _claim_size(9_000, 9_000),
        "cut.jpg": b"\xff\xd8\xff\xe0" + bytes(80),
        "cut.gif": b"GIF89a" + bytes(30),
        "video.mp4": b"\0\0\0\x18ftypisom" + os.urandom(300),
        "cut.avi": b"RIFF\x10\0\0\0AVI LIST" + bytes(40),
        "cut.h5": store[:3000],
        "junk.h5": store[:2000] + os.urandom(2000),
        "cut.safetensors": weights[:5000],
        "long.safetensors": struct.pack("<Q", 2**62) + b"{}",
        "no.json": b"{",
        "null.json": b"null",
        "deep.json": b"[" * 99_999,
        "digits.json": b'{"people": [{"pose_keypoints_2d": [' + b"9" * 6000 + b"]}]}",
        "nul.csv": b"name:keypoints_y:keypoints_x\na\0.png: [1]: [2]\n",
        "rows.csv": b"name:keypoints_y:keypoints_x\n" + b"a.png: [1,2]: [3]\n" * 3,
        "one.txt": b"1 2\n",
        "nan.txt": b"nan inf\n" * 18,
        "latin.csv": "from,to\nä.png,ö.png\n".encode("latin-1"),
        "bad.toml": b"[labels\n",
        "x\ny.png": whole[:100],
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    texts: dict[str, Any] = {
        "nobody.json": {"people": []},
        "null_person.json": {"people": [None]},
        "far.json": pose | {"canvas_width": 10**9},
        "nan.json": {"people": [{"pose_keypoints_2d": [float("nan")] * 54}]},
        "other.json": {"hello": [1, 2]},
        "corner.json": {"people": [{"pose_keypoints_2d": [value for _ in range(18) for value in (9000, 9000, 1)]}]},
    }
    for name, value in texts.items():
        (folder / name).write_text(json.dumps(value))
    np.save(folder / "pickled.npy", np.array([_Escape()], object), allow_pickle=True)
    np.save(folder / "floats.npy", np.ones((64, 64)))
    np.save(folder / "cube.npy", np.ones((4, 64, 64), np.uint8))
    np.save(folder / "labels.npy", np.full((128, 128), 200, np.uint8))
    np.save(folder / "nobody.npy", np.zeros((128, 128), np.uint8))
    np.savez(folder / "arrays.npz", a=np.ones(3))
    torch.save({"a": torch.ones(2)}, folder / "net.pth")
    with zipfile.ZipFile(folder / "evil.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_Escape()))
    (folder / "evil.pkl").write_bytes(pickle.dumps(_Escape()))
    with h5py.File(folder / "foreign.h5", "w") as file:
        file["images"] = np.zeros(4)
    with h5py.File(folder / "outside.h5", "w") as file:
        file["images"] = h5py.ExternalLink("/etc/passwd", "/")
    write_pose_csv(folder / "other_frame.csv", {"a.png": STANDING * 4, "b.png": STANDING * 4, "c.png": STANDING * 4})
    (folder / "folder").mkdir()
    (folder / "photos").mkdir()
    Image.fromarray(A.image[:1, :1]).save(folder / "photos" / "one.png")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    given = [f"hostile/{entry.name}" for entry in sorted(folder.iterdir())]
    return [
        *given,
        "missing.png",
        "n" * 300,
        "/dev/zero",
        "/dev/full",
        "\udcff.png",
        "",
        "a=b",
        "d.h5:nobody",
        "/proc/self/mem",
    ]


def _claim_size(width: int, height: int) -> bytes:
    """A PNG whose header says a size that its data do not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    framed = [
        struct.pack(">I", len(its)) + name + its + struct.pack(">I", zlib.crc32(name + its)) for name, its in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
