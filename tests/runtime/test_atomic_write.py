from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgen.errors import InputError, PgenError
from pgen.runtime.atomic_write import atomic_folder, atomic_write, check_output, lock_folder, remove_leftovers
from tests.data.examples import nothing_left_in


def test_appears_whole_with_its_suffix(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    with atomic_write(target) as aside:
        assert aside.parent == tmp_path
        assert aside.suffix == ".png"
        aside.write_text("half")
        assert not target.exists()
        aside.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert target.read_text() == "whole"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with nothing_left_in(tmp_path), pytest.raises(error), atomic_write(tmp_path / "a") as aside:  # noqa: PT012
        aside.write_text("half")
        raise error


def test_failure_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(target, overwrite=True) as aside:  # noqa: PT012
        aside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"


def test_refuses_what_exists_unless_forced(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with pytest.raises(InputError, match="a exists already"), atomic_write(target):
        pytest.fail("must refuse before the work")
    with atomic_write(target, overwrite=True) as aside:
        aside.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("name", ["a" * 240 + ".png", "é" * 115 + ".png", "人" * 80 + ".png"])
def test_long_names_of_any_letters(tmp_path: Path, name: str) -> None:
    with atomic_write(tmp_path / name) as aside:
        aside.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with atomic_folder(tmp_path / name.removesuffix(".png")) as aside:
        (aside / "a").write_text("new")
    assert len(list(tmp_path.iterdir())) == 2


def test_refuses_what_came_into_being_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "a"
    with pytest.raises(InputError, match="exists already"), atomic_write(target) as aside:  # noqa: PT012
        aside.write_text("ours")
        target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "a"
    target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(target)
    with atomic_write(link, overwrite=True) as aside:
        aside.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "is a folder"),
        ("no/such/a", "there is no folder"),
        ("x" * 300, "cannot be written"),
        ("nul\0", "cannot be written"),
        ("/dev/null", "not a regular file"),
        ("file/a", "cannot be written"),
    ],
)
def test_refuses_impossible_places(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_text("")
    with nothing_left_in(tmp_path), pytest.raises(InputError, match=message) as caught:
        check_output(tmp_path / name, overwrite=True)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_refuses_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="not writable"):
        check_output(tmp_path / "a")


def test_says_that_the_disk_is_full(tmp_path: Path) -> None:
    with nothing_left_in(tmp_path), pytest.raises(PgenError, match="no space left") as caught:  # noqa: SIM117
        with atomic_write(tmp_path / "a"):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert not isinstance(caught.value, InputError)


def test_kill_leaves_no_output(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pgen.runtime.atomic_write import atomic_write\n"
        "with atomic_write(sys.argv[1]) as aside:\n"
        "    aside.write_text('half'); print('writing', flush=True); time.sleep(60)\n"
    )
    target = tmp_path / "a"
    process = subprocess.Popen([sys.executable, "-c", program, target], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    time.sleep(0.05)
    process.kill()
    process.wait()
    process.stdout.close()
    assert not target.exists()


def test_a_writer_that_replaces_the_file_does_not_change_its_mode(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with atomic_write(tmp_path / "out") as aside:
        aside.unlink()
        os.close(os.open(aside, os.O_CREAT | os.O_WRONLY, 0o600))
    assert (tmp_path / "out").stat().st_mode == plain.stat().st_mode


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    names = {".a.0123abcd.part.h5", ".ab.0123abcd.part.h5", ".a.other.part.h5", ".a.0123abcd.part.png", ".a.h5"}
    for name in names:
        (tmp_path / name).touch()
    with atomic_write(path) as aside:
        aside.write_text("new")
        remove_leftovers(path)
        assert {entry.name for entry in tmp_path.iterdir()} == names - {".a.0123abcd.part.h5"} | {aside.name}
    assert path.read_text() == "new"


def test_a_link_that_leads_to_itself_is_kept(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="leads nowhere"):
        check_output(tmp_path / "loop", overwrite=True)
    assert (tmp_path / "loop").is_symlink()


def test_a_folder_is_for_one_process_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "pose"
    with lock_folder(folder):
        with (
            pytest.raises(InputError, match=r"another process writes into .*pose; wait for it") as error,
            lock_folder(folder),
        ):
            pass
        assert error.value.option == "out"
    with lock_folder(folder):
        assert list(folder.iterdir()) == []
