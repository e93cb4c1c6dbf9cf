"""``pgen demo``: held-out synthetic people in new poses, on one page."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.errors_to_exit_codes import AdvanceProgress, choose_device, log, progress, seed_everything
from pgen.cli.options import Device, Force, Weights
from pgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.cli.demo_people import DemoPerson
    from pgen.cli.html_page import Section
    from pgen.inference.person import Person
    from pgen.inference.predictor import Predictor
    from pgen.inference.result import Result

    Picture = NDArray[np.uint8]

PEOPLE = 4
#: Pictures of the animation, and how long each is shown, in milliseconds.
FRAMES, DURATION = 24, 70


def run(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write.", metavar="DIR")] = Path("demo"),
    weights: Weights = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Which synthetic people; the bundled weights have not seen those of the default.")
    ] = 20_260,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Show what the networks can do, on synthetic people: pictures, an animation, and one page, index.html."""
    with _new_folder(out, force) as folder:
        from pgen.inference.predictor import load

        seed_everything(seed)
        begin = time.monotonic()
        model = load(weights, choose_device(device))
        model.require_layouts()
        log(model.origin)
        with progress("demo", 2 * PEOPLE + FRAMES) as advance:
            sections = _sections(model, seed, folder, advance)
        _write_page(model, sections, folder, time.monotonic() - begin)
    log(f"took {time.monotonic() - begin:.0f} s")
    print(out / "index.html")


def _sections(model: Predictor, seed: int, folder: Path, advance: AdvanceProgress) -> list[Section]:
    """Everything the page shows; pictures go to ``folder``."""
    from pgen.cli.demo_edits import edits_section, texture_section
    from pgen.cli.demo_people import demo_person

    known: list[tuple[DemoPerson, Person]] = []
    for index in range(PEOPLE):
        someone = demo_person(seed, index, model.frame)
        source = someone.source
        known.append((someone, model.person(source.image, source.pose, source.parsing)))
        advance(note=f"photographed {someone.name}")
    begin = time.monotonic()
    results = []
    for someone, person in known:
        results.append(list(person.generate_many([truth.pose for truth in someone.truths.values()])))
        advance(note=f"generated {someone.name}")
    seconds = (time.monotonic() - begin) / sum(map(len, results))
    people = [someone for someone, _ in known]
    return [
        _new_poses(people, results, seed, folder),
        _animation(model, known[0], seed, folder, advance),
        texture_section(known, folder),
        edits_section(known[0], folder),
        _numbers(people, results, seconds),
        _own_photo(),
    ]


def _new_poses(people: Sequence[DemoPerson], results: Sequence[Sequence[Result]], seed: int, folder: Path) -> Section:
    from pgen.body.crop import Letterbox
    from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
    from pgen.cli.html_page import Row, Section, comparison, figure
    from pgen.data.formats.images import write_png

    size = people[0].source.image.shape[:2]
    fit = Letterbox.of(size, (2 * size[0], 2 * size[1]))
    body, rows = "", []
    for number, (someone, own) in enumerate(zip(people, results, strict=True), start=1):

        def saved(name: str, image: Picture, number: int = number) -> str:
            return write_png(folder / f"person{number}_{name}.png", image).name

        lines: dict[str, list[str]] = {"target pose": [], "predicted map": [], "generated": [], "rendered truth": []}
        for (title, truth), result in zip(someone.truths.items(), own, strict=True):
            (_, source), (_, pose), (_, parsing), (_, image) = result.panels()
            pictures = (pose, parsing, image, truth.image)
            for (name, paths), shown in zip(lines.items(), pictures, strict=True):
                paths.append(saved(f"{title}_{name}".replace(" ", "-"), shown))
            captions = (f"pose: {title}", "predicted map", "generated", "rendered truth")
            rows.append([(f"{someone.name}: source", source), *zip(captions, pictures, strict=True)])
        grid = [Row(name, paths, highlighted=name == "generated") for name, paths in lines.items()]
        source_pose = draw_skeleton(fit.frame, fit.pose(someone.source.pose))
        given = figure(saved("source", someone.source.image), f"{someone.name}: the source photo")
        given += figure(saved("source_pose", source_pose), "its pose")
        given += figure(saved("source_map", colorize_parsing(someone.source.parsing)), "its map")
        body += comparison(someone.name, given, list(someone.truths), grid)
    write_png(folder / "people.png", draw_sheet(rows))
    return Section(
        "The same person in new poses",
        "From the source photo, its pose and its parsing map, one network predicts the map in the target pose, and "
        f"another paints the person into it. These are synthetic people at {size[0]}×{size[1]} pixels, the first "
        f"{len(people)} of seed {seed}, not chosen; the bundled weights were trained on other seeds. The last row is "
        "what the renderer makes of the same person in that pose: the networks do not see it.",
        body,
    )


def _animation(
    model: Predictor, known: tuple[DemoPerson, Person], seed: int, folder: Path, advance: AdvanceProgress
) -> Section:
    from pgen.body.crop import Letterbox
    from pgen.body.viz import draw_skeleton
    from pgen.cli.demo_people import STEPS, walking_poses
    from pgen.cli.html_page import Section, figure, side_by_side

    someone, person = known
    results = []
    for result in person.generate_many(walking_poses(seed, 0, model.frame, FRAMES)):
        results.append(result)
        advance(note="animating")
    size = (2 * model.frame[0], 2 * model.frame[1])
    fit = Letterbox.of(model.frame, size)
    _write_gif(folder / "walk.gif", [fit.image(result.image) for result in results])
    _write_gif(folder / "walk_pose.gif", [draw_skeleton(size, fit.pose(result.pose)) for result in results])
    figures = [
        figure("person1_source.png", "the source photo"),
        figure("walk_pose.gif", "target poses"),
        figure("walk.gif", "generated"),
    ]
    return Section(
        "Walking",
        f"{someone.name.capitalize()} again: {STEPS} positions of a walk, a smooth curve through their joints, and "
        f"each of the {len(results)} pictures generated on its own from the one source photo.",
        side_by_side(figures),
    )


def _numbers(people: Sequence[DemoPerson], results: Sequence[Sequence[Result]], seconds: float) -> Section:
    import numpy as np
    import torch
    from skimage.metrics import structural_similarity

    from pgen.cli.html_page import Section, table
    from pgen.metrics.miou import count_intersection_and_union, mean_iou

    def ssim(found: Picture, true: Picture) -> float:
        return float(
            structural_similarity(
                found, true, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
                use_sample_covariance=False,
            )
        )  # fmt: skip

    def miou(found: Sequence[Picture], true: Sequence[Picture]) -> float:
        maps = (torch.from_numpy(np.stack(labels)).long() for labels in (found, true))
        return mean_iou(count_intersection_and_union(*maps).sum(0)).item()

    pairs = [
        (someone.source, truth, result)
        for someone, own in zip(people, results, strict=True)
        for truth, result in zip(someone.truths.values(), own, strict=True)
    ]
    maps = [truth.parsing for _, truth, _ in pairs]
    generated = miou([result.parsing for *_, result in pairs], maps)
    copied = miou([source.parsing for source, *_ in pairs], maps)
    rows = [
        ("Generated", f"{generated:.3f}", f"{np.mean([ssim(r.image, t.image) for _, t, r in pairs]):.3f}"),
        ("Source photo, unchanged", f"{copied:.3f}", f"{np.mean([ssim(s.image, t.image) for s, t, _ in pairs]):.3f}"),
    ]
    return Section(
        "Numbers",
        f"Measured in this run on the {len(pairs)} pictures above, against the rendered truth; higher is better. So "
        "few pictures say whether it works, not how it compares with other methods. A picture took "
        f"{seconds:.2f} s on this machine.",
        table(("", "Parsing map: mean IoU", "Picture: SSIM"), rows),
    )


def _own_photo() -> Section:
    from pgen.cli.html_page import Section, code

    command = (
        "pgen generate me.jpg --pose other.jpg -o out.png --sheet sheet.png\n"
        "pgen generate me.jpg --src-pose keypoints.csv --src-parsing me.png \\\n"
        "    --pose keypoints.csv:other.jpg -o out.png --sheet sheet.png"
    )
    lines = (
        "import pgen\n\nmodel = pgen.load()\n"
        'person = model.person("me.jpg")\nperson.generate("other.jpg").save("out.png")'
    )
    return Section(
        "Your own photo",
        "What is not given is estimated: poses, with pip install 'pgen[photo]', and parsing maps. Joints are given as "
        "OpenPose's JSON or a row of a keypoint CSV, a map as .npy or PNG with the labels 0 to 9. Photos may have any "
        "size; what comes back has the detail of the networks' frame. The bundled weights have seen only synthetic "
        "people, so real faces and fabrics come out simplified.",
        code(command) + "<p>In Python:</p>\n" + code(lines),
    )


def _write_page(model: Predictor, sections: Sequence[Section], folder: Path, seconds: float) -> None:
    from pgen.cli.html_page import render_page
    from pgen.version import version

    text = render_page(
        "One photo, another pose",
        "pgen takes a photo of a person and makes a picture of the same person in another pose. Everything on this "
        "page was made on this machine just now, without network access.",
        sections,
        f"pgen {version()} · {model.origin} · made in {seconds:.0f} s · all people on this page are synthetic · "
        "people.png holds all pictures in one sheet",
    )
    (folder / "index.html").write_text(text, encoding="utf-8")


def _write_gif(path: Path, images: Sequence[Picture]) -> None:
    """An endless animation, each picture with its own best 256 colours."""
    from PIL import Image

    # Dithering would flicker from picture to picture.
    frames = [Image.fromarray(image).quantize(256, dither=Image.Dither.NONE) for image in images]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=DURATION, loop=0, optimize=True)


@contextmanager
def _new_folder(out: Path, force: bool) -> Iterator[Path]:
    """Yield an empty folder beside ``out`` that takes its place at the end, or is removed if the block raises.

    With ``force`` the files go into an ``out`` that exists, over those of the same names; others there are kept.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"-o {out} is a file; name a folder")
    if out.exists() and not force:
        raise InputError(f"{out} exists already; name another folder with -o, or give --force to write into it")
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.absolute().parent))
    except OSError as error:
        raise InputError(f"-o {out}: the folder cannot be made: {error.strerror}") from None
    try:
        yield aside
        if out.exists():
            for file in sorted(aside.iterdir()):
                file.replace(out / file.name)
        else:
            aside.chmod(0o777 & ~_umask())
            aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value
