from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.errors import InputError
from pgen.evaluation.layouts import LAYOUTS, cut_output
from pgen.evaluation.matching import match_results
from pgen.evaluation.photos import FolderPhotos
from tests.evaluation.folders import PAIRS, PHOTOS, WRITERS, output, photo, write_photos, write_results


@pytest.fixture
def photos(tmp_path: Path) -> FolderPhotos:
    return FolderPhotos(write_photos(tmp_path / "true"))


def stems(names: tuple[str, str]) -> tuple[str, str]:
    return f"{names[0][:-4]}.png", f"{names[1][:-4]}.png"


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("layout", WRITERS)
def test_every_layout_is_read(layout: str, listed: bool, named: bool, photos: FolderPhotos, tmp_path: Path) -> None:
    """With its name given and without, with a list of pairs and without."""
    results = write_results(tmp_path / "results", layout)
    matched = match_results(results, photos, layout if named else None, wanted=PAIRS if listed else None)
    assert matched.layout.name == layout
    assert not matched.missing
    assert not matched.surplus
    found = {(pair.source, pair.target): pair.file for pair in matched.pairs}
    assert found.keys() == {stems(pair) for pair in PAIRS}
    if listed:
        assert [(pair.source, pair.target) for pair in matched.pairs] == [stems(pair) for pair in PAIRS]
    for source, target in PAIRS:
        image = np.asarray(Image.open(results / str(found[stems((source, target))])))
        np.testing.assert_array_equal(cut_output(image, matched.layout), output(source, target))


def test_results_named_like_their_targets(photos: FolderPhotos, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    for name in PHOTOS[:3]:
        Image.fromarray(photo(name)).save(results / f"{name}.png")
    matched = match_results(results, photos, all_photos=photos.names())
    assert matched.layout.name == "plain"
    assert [pair.target for pair in matched.pairs] == sorted(f"{name[:-4]}.png" for name in PHOTOS[:3])
    assert matched.missing == [f"{PHOTOS[3][:-4]}.png"]
    listed = match_results(results, photos, wanted=[(PHOTOS[0], PHOTOS[1])])
    assert [(pair.source, pair.target) for pair in listed.pairs] == [stems((PHOTOS[0], PHOTOS[1]))]
    assert len(listed.surplus) == 2
    with pytest.raises(InputError, match="2 pairs have the target"):
        match_results(results, photos, wanted=[(PHOTOS[0], PHOTOS[1]), (PHOTOS[2], PHOTOS[1])])


def test_aliases_and_unknown_layouts(photos: FolderPhotos, tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", "spt")
    assert match_results(results, photos, "def-gan").layout is LAYOUTS["spt"]
    with pytest.raises(InputError, match="choose one of patn"):
        match_results(results, photos, "cfld")


def test_missing_and_surplus_are_named(photos: FolderPhotos, tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", "gfla", PAIRS[1:])
    Image.fromarray(photo("z")).save(results / "who_2_knows_vis.png")
    Image.fromarray(photo("z")).save(results / "b__x_2_a_1_front_vis.png")
    matched = match_results(results, photos, "gfla", wanted=PAIRS)
    assert matched.missing == [f"{PAIRS[0][0]} → {PAIRS[0][1]}"]
    assert set(matched.surplus) == {"who_2_knows_vis.png", "b__x_2_a_1_front_vis.png"}
    assert len(matched.pairs) == 3


def test_names_that_differ_in_marks_alone_are_other_photos(tmp_path: Path) -> None:
    for folder, names in (("true", ("1_23", "12_3", "t")), ("results", ("1_23__t", "12_3__t"))):
        (tmp_path / folder).mkdir()
        for name in names:
            Image.fromarray(photo(name)).save(tmp_path / folder / f"{name}.png")
    wanted = [("1_23.png", "t.png"), ("12_3.png", "t.png")]
    matched = match_results(tmp_path / "results", FolderPhotos(tmp_path / "true"), wanted=wanted)
    assert [pair.file for pair in matched.pairs] == ["1_23__t.png", "12_3__t.png"]
    assert not matched.surplus


def test_jpegs_are_told(photos: FolderPhotos, tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", "pgen")
    assert not any("JPEG" in note for note in match_results(results, photos).notes)
    Image.fromarray(photo("z")).save(results / "a_1_front__a_1_front.jpg")
    notes = match_results(results, photos).notes
    assert any("1 of 5 results are JPEG, such as a_1_front__a_1_front.jpg" in note for note in notes)


@pytest.mark.parametrize("layout", ["patn", "spt"])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_swapped_panel_order_is_refused(layout: str, compressed: bool, photos: FolderPhotos, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    count, own, target = LAYOUTS[layout].panels, LAYOUTS[layout].output, LAYOUTS[layout].target
    assert target is not None
    for pair in PAIRS:
        name, image = WRITERS[layout](*pair)
        panels = np.split(image, count, axis=1)
        panels[own], panels[target] = panels[target], panels[own]
        name = name[:-4] + (".jpg" if compressed else ".png")
        Image.fromarray(np.hstack(panels)).save(results / name)
    with pytest.raises(InputError, match=rf"4 of 4 results .* panel {count} is the true photo.*which panel"):
        match_results(results, photos, layout)
    matched = match_results(results, photos, layout, panel=target + 1)
    image = np.asarray(Image.open(results / str(matched.pairs[0].file)))
    assert matched.layout.output == target
    source, true = (str(name) for name in (matched.pairs[0].source, matched.pairs[0].target))
    wanted = output(f"{source[:-4]}.jpg", f"{true[:-4]}.jpg").astype(int)
    assert np.abs(cut_output(image, matched.layout) - wanted).mean() < 5
    with pytest.raises(InputError, match=f"have {count}"):
        match_results(results, photos, layout, panel=count + 1)


def test_refusals(photos: FolderPhotos, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        match_results(tmp_path / "none", photos)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no photos"):
        match_results(tmp_path / "empty", photos)
    Image.fromarray(photo("z")).save(tmp_path / "empty" / "z.png")
    with pytest.raises(InputError, match=r"fit no layout .*name the layout"):
        match_results(tmp_path / "empty", photos)
    with pytest.raises(InputError, match="no result belongs to a pair"):
        match_results(tmp_path / "empty", photos, "plain")
