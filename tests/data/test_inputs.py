from __future__ import annotations

import os
from pathlib import Path

import pytest

from pgen.data.inputs import check_apart, decode_text, read_bytes, read_start, split_spec
from pgen.data.weights import load_weights, read_state_dict
from pgen.errors import InputError


def test_spec_is_split_at_the_longest_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    (tmp_path / "a.csv:b").write_text("2")
    for text, file, name in [
        ("a.csv", "a.csv", None),
        ("a.csv:x.jpg", "a.csv", "x.jpg"),
        ("a.csv:x:y", "a.csv", "x:y"),
        ("a.csv:b", "a.csv:b", None),
        ("a.csv:b:c", "a.csv:b", "c"),
        ("a.csv:", "a.csv", None),
    ]:
        assert split_spec(tmp_path / text) == (tmp_path / file, name)


def test_spec_of_nothing(tmp_path: Path) -> None:
    for text in ("missing.csv:x", "", "nul\0"):
        with pytest.raises(InputError, match="does not exist" if text else "an empty text names no file"):
            split_spec(f"{tmp_path}/no/{text}" if text else "")


def test_bytes_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(bytes(1001))
    with pytest.raises(InputError, match="too large for a pose"):
        read_bytes(tmp_path / "long", "a pose", limit=1000)


def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "pipe.png")
    for path in ("/dev/zero", tmp_path / "pipe.png"):
        with pytest.raises(InputError, match="save it in one first"):
            read_bytes(path, "a pose")
        assert read_start(path, 8) == b""
    for path in ("/dev/zero", tmp_path / "link.safetensors"):
        for read in (load_weights, read_state_dict):
            with pytest.raises(InputError, match="save it in one first"):
                read(path)


def test_text_may_have_a_byte_order_mark() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert decode_text("é\n".encode(encoding), "a") == "é\n"
    with pytest.raises(InputError, match="a is not a text file in UTF-8"):
        decode_text(b"\xe9\xff", "a")


def test_inputs_are_no_outputs(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    photo, other = tmp_path / "set" / "a.png", tmp_path / "b.png"
    photo.touch()
    other.touch()
    (tmp_path / "hard.png").hardlink_to(photo)
    (tmp_path / "soft.png").symlink_to(photo)
    page = tmp_path / "set" / "page.html"
    page.touch()
    for given in (photo, f"{photo}:entry", f"name={photo}", tmp_path / "set"):
        for output in (photo, tmp_path / "hard.png", tmp_path / "soft.png", tmp_path / "set" / ".." / "set" / "a.png"):
            with pytest.raises(InputError, match="choose another name"):
                check_apart([None, output], [None, 3, "bundled", given])
        check_apart([other, page, tmp_path / "new.png", tmp_path / "set"], [given])
