"""A data set of one's own is one file and one entry in `READERS`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pgen.cli.main import main
from pgen.data.readers.registry import ON_DISK, READERS, ReaderEntry
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.preparation import prepare
from tests.data.examples import write_folder

READER = '''
from pgen.data.readers.folder import find_folder
from pgen.data.readers.given import NOTHING_GIVEN


def find_mine(root, given=NOTHING_GIVEN, size=None):
    """Photos that lie a folder deeper than elsewhere."""
    return find_folder(root / "deeper", given, size)
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_reader.py").write_text(READER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(READERS, "mine", ReaderEntry("my_reader:find_mine", ON_DISK, size=(64, 32)))
    yield tmp_path
    sys.modules.pop("my_reader", None)


def test_it_is_prepared_like_any_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "datasets/mine/deeper")
    summary = prepare("mine", "a.h5", workers=1)
    assert (summary.kept, summary.size) == (3, (64, 32))
    assert main(["prepare", "--dataset", "mine", "--workers", "1"]) == 0
    assert Store("datasets/mine.h5").names == Store("a.h5").names
    with pytest.raises(InputError) as caught:
        prepare("mine", "b.h5", people=3)
    assert caught.value.option == "people"


def test_unknown_ones_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--dataset", "yours", "-o", "a.h5"]) == 2
    assert "choose one of deepfashion, market1501, folder, synthetic, mine (--dataset)" in capsys.readouterr().err
