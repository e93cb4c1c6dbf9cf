"""What pgen/data/README.md says about adding a data set, done."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgen.cli.main import main
from pgen.data.readers import registry
from pgen.data.readers.registry import READERS
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.preparation import prepare
from tests.data.examples import write_folder
from tests.howto import add_entry, add_module, list_blocks, read_howto


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source, entry = list_blocks(read_howto("data", "How to add a data set"))
    module = add_module(source, monkeypatch)
    vars(module).update(ReaderEntry=registry.ReaderEntry, ON_DISK=registry.ON_DISK)
    assert add_entry(entry, READERS, module, monkeypatch) == "studio"
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_prepared_like_any_other(here: Path) -> None:
    write_folder(here / "datasets/studio", ("ann_1.png", "ann_2.png", "bob_1.png"))
    summary = prepare("studio", "a.h5", workers=1)
    assert (summary.kept, summary.size) == (3, (256, 176))
    assert main(["prepare", "--dataset", "studio", "--workers", "1"]) == 0
    assert Store("datasets/studio.h5").names == Store("a.h5").names
    with pytest.raises(InputError) as caught:
        prepare("studio", "b.h5", people=3)
    assert caught.value.option == "people"


def test_unknown_ones_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--dataset", "yours", "-o", "a.h5"]) == 2
    assert "choose one of deepfashion, market1501, folder, synthetic, studio (--dataset)" in capsys.readouterr().err
