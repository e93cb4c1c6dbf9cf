from __future__ import annotations

import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from pgen.body.joints import Joint
from pgen.data.example import Drop, Example, Job
from pgen.data.packing import PackedExample, content_hash, name_source, pack_item
from tests.data.examples import SIZE, example


def give(index: int, *_: Path) -> Example:
    return example(index)


def test_what_is_packed_unpacks(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    row = pack_item(Job("x", give, (4, tmp_path / "a", tmp_path, tmp_path / "gone")), SIZE, tmp_path)
    assert isinstance(row, PackedExample)
    one = example(4)
    np.testing.assert_array_equal(np.frombuffer(zlib.decompress(row.image), np.uint8).reshape(*SIZE, 3), one.image)
    np.testing.assert_array_equal(np.frombuffer(zlib.decompress(row.parsing), np.uint8).reshape(SIZE), one.parsing)
    np.testing.assert_array_equal(row.pose, one.pose)
    # as `printf abc | b2sum -l 128` has it
    assert row.sources == '[["a", "cf4ab791c62b8d2b2109c90275287816"]]'
    assert (row.name, row.person, row.split) == (one.name, one.person, one.split)


def test_torso_is_needed() -> None:
    one = example(0)
    one.pose[[Joint.L_HIP, Joint.NOSE]] = np.nan
    assert pack_item(one, SIZE, None) == Drop("000.png", "torso joints missing", "l_hip")
    assert pack_item(Drop("a", "b"), SIZE, None) == Drop("a", "b")


def test_photos_that_are_not_contiguous() -> None:
    one = example(0)
    turned = replace(one, image=one.image[:, ::-1], parsing=one.parsing[:, ::-1])
    row = pack_item(turned, SIZE, None)
    assert isinstance(row, PackedExample)
    image = np.frombuffer(zlib.decompress(row.image), np.uint8).reshape(*SIZE, 3)
    np.testing.assert_array_equal(image, turned.image)


def test_names_of_files(tmp_path: Path) -> None:
    assert name_source(tmp_path / "a/b", tmp_path) == "a/b"
    assert name_source(tmp_path / "a/b", tmp_path / "c") == str(tmp_path / "a/b")
    assert name_source(tmp_path / "a/b", None) == str(tmp_path / "a/b")
    (tmp_path / "x").write_bytes(bytes(10**6))
    assert len(content_hash(tmp_path / "x")) == 32


def test_workers_start_without_torch() -> None:
    program = "import sys, pgen.data.packing, pgen.data.readers.folder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
