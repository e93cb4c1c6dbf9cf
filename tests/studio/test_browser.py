"""The whole page, as a browser shows it and a hand uses it."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.cli.main import main
from pgen.data.formats.keypoints import read_pose
from pgen.data.formats.parsing import read_parsing
from tests.inference.tiny import write_weights

pytest.importorskip("playwright", reason="needs the extra dev")
if find_spec("mediapipe") is None:  # whose import takes seconds
    pytest.skip("needs the extra photo", allow_module_level=True)

from playwright.sync_api import Locator, Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 90_000  # milliseconds
SIZE = (96, 128)  #: width and height of the photo; in smaller ones nobody is found
FRAME = (128, 128)


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a studio in a process of its own, with small networks; nothing is left of it at the end."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.chdir(tmp_path)
    write_weights(Path("tiny.safetensors"), frame=FRAME)
    command = [sys.executable, "-m", "pgen.cli.main", "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [*command, "--weights", "tiny.safetensors"],
        env=os.environ | {"TMPDIR": str(own)}, stdout=subprocess.PIPE, text=True,
    ) as studio:  # fmt: skip
        try:
            assert studio.stdout is not None
            yield studio.stdout.readline().strip()
        finally:
            studio.send_signal(signal.SIGTERM)
            studio.communicate(timeout=20)  # the end of what it prints: no process has it open any more
    assert not [file for file in own.iterdir() if file.name.startswith("pgen-studio")]


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), playwright.chromium.executable_path)
        if not Path(found).exists():
            pytest.skip("needs a browser: the package chromium, or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(address)
        yield page
        browser.close()
        assert not complaints


def draw(page: Page, *points: tuple[float, float]) -> None:
    """Press the button at the first point, and let go of it at the last."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def find_middle(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def download(page: Page, link: Locator, path: Path) -> Path:
    with page.expect_download() as downloading:
        link.click()
    downloading.value.save_as(path)
    return path


def test_a_photo_is_opened_changed_posed_and_dressed(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page.locator("body[data-ready]").wait_for()
    example = page.locator("[data-example=dots] img").get_attribute("src")
    photo = Image.open(io.BytesIO(page.request.get(f"{page.url.rstrip('/')}{example}").body()))
    photo.resize(SIZE).save("person.png")
    page.locator("#file").set_input_files("person.png")

    # A joint is dragged, and the pose downloaded as a file.
    page.get_by_role("radio", name="Move joints").click()
    link = page.get_by_role("link", name="Download pose")
    frame = page.locator("#editor .stage").bounding_box()
    assert frame is not None
    scale = SIZE[1] / frame["height"]  # from pixels of the page to those of the photo
    before = read_pose(download(page, link, tmp_path / "before.json")).pose
    x, y = find_middle(page.locator(f"[data-joint='{int(Joint.R_WRIST)}'] .reach"))
    href = link.get_attribute("href") or ""
    draw(page, (x, y), (x - 20, y - 30))
    expect(link).not_to_have_attribute("href", href)
    after = read_pose(download(page, link, tmp_path / "after.json")).pose
    moved = after - before
    np.testing.assert_allclose(moved[Joint.R_WRIST], [-20 * scale, -30 * scale], atol=1)
    assert np.nanmax(np.abs(np.delete(moved, Joint.R_WRIST, axis=0))) < 0.01

    # Two poses are chosen.
    for pose, told in (("walk", "Make the picture"), ("arms-up", "Make 2 pictures")):
        page.locator(f"[data-pose={pose}]").click()
        expect(page.locator("#generate")).to_have_text(told)
    page.locator("#generate").click()
    expect(page.locator(".result")).to_have_count(3, timeout=PATIENCE)

    # A sleeve is painted down the other arm.
    page.get_by_role("tab", name="Edits").click()
    page.get_by_text("Paint the change by hand").click()
    page.locator("#panel-edits").get_by_role("radio", name="top").click()
    box = page.locator("#panel-edits canvas").bounding_box()
    assert box is not None
    arm = [after[joint] / scale + (box["x"], box["y"]) for joint in (Joint.L_ELBOW, Joint.L_WRIST)]
    draw(page, *((float(x), float(y)) for x, y in arm))
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator(".result")).to_have_count(4, timeout=PATIENCE)

    # A top of another person.
    page.get_by_role("tab", name="Clothes").click()
    page.locator("#clothes-example").select_option("stripes")
    page.get_by_role("button", name="Put them on").click()
    expect(page.locator(".result")).to_have_count(5, timeout=PATIENCE)

    # Loaded anew, the page has it all.
    page.reload()
    expect(page.locator(".result")).to_have_count(5, timeout=PATIENCE)
    expect(page.locator(".photo")).to_have_count(2, timeout=PATIENCE)

    # The commands make the same from the files that come with them.
    folder = tmp_path / "all"
    with zipfile.ZipFile(download(page, page.get_by_role("link", name="Download all"), tmp_path / "all.zip")) as packed:
        packed.extractall(folder)
    shown = page.locator(".command code").all_text_contents()
    commands = (folder / "commands.sh").read_text().splitlines()
    assert sorted(shown) == sorted(commands)
    painted = read_parsing(folder / "person-edited_parsing.png")
    joint_x, joint_y = np.rint(after[Joint.L_WRIST]).astype(int)
    assert painted[joint_y, joint_x] == Label.UPPER
    names = page.locator(".result a[download]").evaluate_all(
        "links => links.map(link => link.getAttribute('download'))"
    )
    given = {name: (folder / name).read_bytes() for name in names}
    assert len(given) == 9  # four pictures with a sheet each, and an animation
    for name in given:
        (folder / name).unlink()
    monkeypatch.chdir(folder)
    for command in commands:
        assert main(command.replace("tiny.safetensors", "../tiny.safetensors").split()[1:]) == 0, (
            capsys.readouterr().err
        )
    assert {name: Path(name).read_bytes() for name in given} == given


def save_photos(page: Page, *names: str) -> list[str]:
    """Photos of the rendered person called "dots", each in a file of that name."""
    page.locator("body[data-ready]").wait_for()
    example = page.locator("[data-example=dots] img").get_attribute("src")
    photo = Image.open(io.BytesIO(page.request.get(f"{page.url.rstrip('/')}{example}").body())).resize(SIZE)
    for name in names:
        photo.save(name)
    return list(names)


def test_what_goes_wrong_changes_nothing(page: Page) -> None:
    long = f"{'x' * 100}.png"
    page.locator("#file").set_input_files(save_photos(page, long, "second.png"))
    expect(page.locator(".photo")).to_have_count(2, timeout=PATIENCE)
    chosen = page.locator("#photos [role=radio][aria-checked=true]")
    assert chosen.get_attribute("title") == long.replace("x" * 100, "x" * 60)
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400

    # A wrong file, and a person who is not there.
    Path("mine.json").write_text("{}")
    page.get_by_role("radio", name="Move joints").click()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Open pose…").click()
    choosing.value.set_files("mine.json")
    expect(page.locator("#messages")).to_contain_text("mine.json", timeout=PATIENCE)
    page.get_by_text("More about this photo").click()
    number = page.get_by_label("Which person of several")
    number.fill("7")
    number.press("Tab")
    expect(page.locator("#messages p")).to_have_count(2, timeout=PATIENCE)
    expect(number).to_have_value("")

    # The photo is as usable as before, and a second click of a double one asks for nothing.
    tile = page.locator("[data-pose=walk]")
    assert tile.get_attribute("aria-pressed") == "false"
    tile.click()
    page.locator("#generate").dblclick()
    expect(page.locator(".result")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator("#jobs .job")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(500)
    expect(page.locator(".result")).to_have_count(1)
    page.reload()
    expect(page.locator(".photo")).to_have_count(2, timeout=PATIENCE)


def test_edits_by_hand_stay_with_those_by_menus_and_with_a_corrected_map(page: Page) -> None:
    """A map shows what it changes opaquely, and all else faintly, but for the background."""
    page.locator("body[data-ready]").wait_for()
    page.locator("[data-example=dots]").click()
    page.get_by_role("tab", name="Edits").click()
    page.get_by_text("Paint the change by hand").click()
    edits = page.locator("#panel-edits")

    def await_opacity(x: float, y: float, opacity: int) -> None:
        """Wait for that of a place, in shares of width and height."""
        page.wait_for_function(
            """([x, y, opacity]) => {
                const canvas = document.querySelector("#panel-edits canvas");
                const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1];
                return canvas.getContext("2d").getImageData(...at).data[3] === opacity;
            }""",
            arg=[x, y, opacity],
        )

    def paint(label: str, inside: Locator, x: float, y: float) -> None:
        inside.get_by_role("radio", name=label).click()
        box = inside.locator("canvas").bounding_box()
        assert box is not None
        draw(page, (box["x"] + x * box["width"], box["y"] + y * box["height"]))

    paint("top", edits, 0.08, 0.08)
    await_opacity(0.08, 0.08, 255)
    page.locator("#edit-sleeves").select_option("long")
    expect(edits.get_by_role("status")).to_contain_text("This is how the map changes", timeout=PATIENCE)
    await_opacity(0.08, 0.08, 255)

    page.get_by_role("radio", name="Paint the map").click()
    paint("hair", page.locator("#editor"), 0.92, 0.08)
    await_opacity(0.92, 0.08, 70)
    await_opacity(0.08, 0.08, 255)
    expect(edits.get_by_role("status")).to_contain_text("This is how the map changes", timeout=PATIENCE)

    edits.get_by_role("button", name="Undo", exact=True).click()
    await_opacity(0.08, 0.08, 0)
    await_opacity(0.92, 0.08, 70)
    expect(page.locator("#edit")).to_have_text("Paint it")
    edits.get_by_role("button", name="Undo all").click()
    await_opacity(0.92, 0.08, 70)
    expect(page.locator("#edit")).to_be_disabled()
