from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pgen.body.labels import LABELS, PALETTE
from pgen.data.formats.parsing import read_parsing
from pgen.data.formats.parsing_schemes import _FOLDER, SCHEMES, load_scheme, schemes_with
from pgen.errors import InputError
from tests.data.examples import STANDING

#: What each scheme's ids become, by their order.
_LIP = """background hair hair arm face upper dress upper leg pants upper upper skirt face l_arm r_arm l_leg r_leg
    l_leg r_leg"""
_ATR = """background hair hair face upper skirt pants dress upper l_leg r_leg face l_leg r_leg l_arm r_arm background
    upper"""
_CCP = """background background background upper upper upper upper leg upper arm upper upper leg upper dress face
    leg face arm hair hair leg upper upper upper pants upper pants leg upper pants pants leg background arm
    dress leg upper upper leg pants skin skirt leg leg leg upper face upper upper dress upper upper leg
    upper upper background arm leg"""
_FASHIONISTA = """background leg pants upper upper background leg upper skirt background leg upper upper upper dress
    pants
    upper upper pants pants upper hair upper upper background upper face upper leg face upper leg upper
    upper upper upper upper arm leg leg arm leg upper dress leg face arm leg leg arm leg background upper
    leg hair skin"""
MERGED: dict[str, list[str]] = {
    "spt10": list(LABELS),
    "lip20": _LIP.split(),
    "cihp20": [*_LIP.split()[:10], "face", *_LIP.split()[11:]],
    "atr18": _ATR.split(),
    "ccp59": _CCP.split(),
    "fashionista56": _FASHIONISTA.split(),
    "adgan8": ["background", "pants", "hair", "skirt", "face", "upper", "arm", "leg"],
}


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("name", SCHEMES)
def test_tables(name: str) -> None:
    scheme = load_scheme(name)
    assert [scheme.merges[value] for value in range(len(scheme.merges))] == MERGED[name]
    assert pickle.loads(pickle.dumps(scheme)) == scheme


def test_all_schemes_are_there() -> None:
    assert set(SCHEMES) == set(MERGED)
    assert load_scheme("spt10").palettes["pgen"] == tuple(map(tuple, PALETTE.tolist()))
    assert schemes_with(np.array([0, 7])) == list(SCHEMES)
    assert schemes_with(np.array([17])) == ["atr18", "ccp59", "cihp20", "fashionista56", "lip20"]


def test_own_table(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "lip20"\n[labels]\n11 = ["scarf", "background"]\n200 = ["tail", "hair"]\n')
    scheme = load_scheme(path)
    assert (scheme.name, scheme.merges[11], scheme.merges[200], scheme.merges[13]) == (
        str(path),
        "background",
        "hair",
        "face",
    )
    other = load_scheme(written(tmp_path, 'extends = "mine.toml"\n[labels]\n0 = ["all", "upper"]\n', "other.toml"))
    assert (other.merges[0], other.merges[11]) == ("upper", "background")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing", "has no labels; a row is ID"),
        ("[labels", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("colours = 3", "'colours' is not one of carried, extends, labels, palettes"),
        ("labels = 3", r"\[labels\] holds rows"),
        ('[labels]\nhat = ["a", "hair"]', r"'hat' under \[labels\] is not an id from 0 to 255"),
        ('[labels]\n256 = ["a", "hair"]', "'256' under"),
        ('[labels]\n1 = "hair"', r"label 1 is not of the form \[\"NAME\", \"LABEL\"\]"),
        ('[labels]\n1 = ["hat", "head"]', "label 1 becomes 'head', not one of background, .*, dress, arm, leg"),
        ("extends = 3", "extends is the name of a scheme"),
        ('extends = "gone.toml"', r"gone\.toml does not exist"),
        ('extends = "mine.toml"', "schemes that extend one another more than"),
        ("palettes = 1", r"\[palettes\] holds lists of colours"),
        ("[palettes]\na = [[0, 0, 256]]", "palette 'a' is not a list of colours"),
        ("[palettes]\na = [[0, 0, true]]", "palette 'a' is not a list of colours"),
        ("[palettes]\na = [[0, 0, 0], [0, 0, 0]]", "palette 'a' has a colour twice"),
    ],
)  # fmt: skip
def test_errors(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_scheme(written(tmp_path, text))


def test_unknown_name() -> None:
    with pytest.raises(
        InputError, match=r"the parsing scheme lip is neither adgan8, .* nor a TOML file; did you mean lip20"
    ):
        load_scheme("lip")


@st.composite
def any_ids(draw: st.DrawFn) -> tuple[str, np.ndarray]:
    """A scheme and a map with any of its ids."""
    name = draw(st.sampled_from(SCHEMES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    return name, rng.integers(0, draw(st.integers(1, len(MERGED[name]))), size)


@settings(max_examples=60)
@given(drawn=any_ids(), dtype=st.sampled_from([np.int8, np.uint8, np.int32, np.int64, ">i2"]))
def test_any_map_comes_back_through_each_format(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[str, np.ndarray], dtype: type
) -> None:
    name, ids = drawn
    folder, scheme = tmp_path_factory.mktemp("maps"), load_scheme(name)
    np.save(folder / "a.npy", ids.astype(dtype))
    np.save(folder / "fortran.npy", np.asfortranarray(ids.astype(dtype)))
    picture = Image.fromarray(ids.astype(np.uint8))
    picture.save(folder / "grey.png")
    for colours in scheme.palettes:
        picture.putpalette(np.array(scheme.palettes[colours], np.uint8).tobytes())
        picture.save(folder / f"palette-{colours}.png")
    picture.putpalette([value for i in range(256) for value in (255 - i, i, 7)])
    picture.save(folder / "palette.png")
    for colours in scheme.palettes:
        Image.fromarray(np.array(scheme.palettes[colours], np.uint8)[ids]).save(folder / f"{colours}.png")
    for path in folder.iterdir():
        try:
            read = read_parsing(path, scheme, STANDING)
        except InputError as error:  # a few colours may be in both palettes
            if path.stem not in scheme.palettes or "fits more than one palette" not in str(error):
                raise
            continue
        assert (read.dtype, read.shape) == (np.uint8, ids.shape)
        for value in np.unique(ids):
            target = MERGED[name][value]
            if target in LABELS:
                assert (read[ids == value] == LABELS.index(target)).all(), path.name


def test_colours_of_another_palette(tmp_path: Path) -> None:
    lip = load_scheme("lip20")
    ids = np.arange(20).reshape(4, 5)
    Image.fromarray(np.array(lip.palettes["voc"], np.uint8)[ids]).save(tmp_path / "a.png")
    with pytest.raises(
        InputError, match=r"other colours than the palettes of adgan8; save it as .*name its palette in a"
    ):
        read_parsing(tmp_path / "a.png", load_scheme("adgan8"))
    assert read_parsing(tmp_path / "a.png", lip, STANDING).shape == (4, 5)
    written(tmp_path, 'extends = "lip20"\n[palettes]\nother = [[0, 0, 0], [9, 0, 0], [128, 0, 0]]\n')
    Image.new("RGB", (2, 2), (128, 0, 0)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"fits more than one palette of .*mine\.toml \(lip, voc, other\)"):
        read_parsing(tmp_path / "b.png", load_scheme(tmp_path / "mine.toml"))


def test_ids_that_the_scheme_lacks(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[0, 8, -1, 19]]))
    with pytest.raises(InputError, match=r"a\.npy has label ids -1, 8, 19, which adgan8 does not have \(0 to 7\)"):
        read_parsing(tmp_path / "a.npy", load_scheme("adgan8"))


def test_errors_in_what_is_extended_name_both_files(tmp_path: Path) -> None:
    written(tmp_path, "labels = 3", "base.toml")
    with pytest.raises(InputError, match=r"mine\.toml extends .*base\.toml: \[labels\] holds rows"):
        load_scheme(written(tmp_path, 'extends = "base.toml"'))
    with pytest.raises(InputError, match=r"mine\.toml extends the parsing scheme .*lip21 is neither"):
        load_scheme(written(tmp_path, 'extends = "lip21"'))


def test_the_same_names_become_the_same_in_ccp_and_fashionista() -> None:
    tables = []
    for name in ("ccp59", "fashionista56"):
        rows = tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))["labels"].values()
        tables.append(dict(rows))
    ccp, fashionista = tables
    assert fashionista.keys() < ccp.keys()
    assert all(ccp[own] == target for own, target in fashionista.items())


def test_carried_things(tmp_path: Path) -> None:
    assert load_scheme("ccp59").carried == {1, 2, 33, 56}
    assert load_scheme("atr18").carried == {16}
    assert load_scheme("spt10").carried is None
    heir = load_scheme(written(tmp_path, 'extends = "atr18"\n[labels]\n0 = ["ground", "background"]'))
    assert heir.carried == {16}
    mine = load_scheme(written(tmp_path, 'extends = "atr18"\ncarried = []'))
    assert mine.carried == frozenset()
    for wrong in ("carried = [5]", "carried = [99]", 'carried = ["bag"]', "carried = 16"):
        with pytest.raises(InputError, match=r"carried"):
            load_scheme(written(tmp_path, f'{wrong}\nextends = "atr18"'))
