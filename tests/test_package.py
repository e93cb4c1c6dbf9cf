"""What a user of Python finds in `pgen` itself."""

from __future__ import annotations

import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import pgen
from pgen.errors import InputError, PgenError
from pgen.version import version


@pytest.mark.parametrize("name", pgen.__all__)
def test_every_name_resolves(name: str) -> None:
    found = getattr(pgen, name)
    assert found.__doc__


def test_dir_and_help_show_them() -> None:
    assert dir(pgen) == sorted(pgen.__all__)
    text = pydoc.plain(pydoc.render_doc(pgen))
    assert [name for name in pgen.__all__ if name not in text and name != "__version__"] == []
    assert version() in text
    assert "predictor.generate(person" in text


def test_the_names_are_those_of_the_rooms() -> None:
    assert pgen.__version__ == version()
    assert (pgen.InputError, pgen.PgenError) == (InputError, PgenError)
    with pytest.raises(AttributeError, match="nothing"):
        pgen.nothing  # noqa: B018


def test_import_is_light() -> None:
    code = "import sys, pgen; assert not {'torch', 'numpy', 'PIL'} & set(sys.modules); pgen.InputError"
    subprocess.run([sys.executable, "-c", code + "; assert 'torch' not in sys.modules"], check=True)


def test_types_are_told() -> None:
    assert (Path(pgen.__file__).parent / "py.typed").is_file()
    pyproject = Path(pgen.__file__).parent.parent / "pyproject.toml"
    assert '"py.typed"' in pyproject.read_text("utf-8")


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "pgen", "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"pgen {version()}\n"
