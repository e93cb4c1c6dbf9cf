"""``pgen generate``: the people of photos in other poses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.annotation_files import for_each, parsing_of
from pgen.cli.conduct import choose_device, progress, say, seed_everything, warn
from pgen.cli.options import Device, Force, Seed
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.data.keypoints import LoadedPose
    from pgen.synthesis.generator import PersonGenerator
    from pgen.synthesis.person import Person
    from pgen.synthesis.result import Result

    Row = list[tuple[str, NDArray[np.uint8]]]


#: Up to so many results are shown large on the sheet.
_LARGE_ROWS = 8


def run(
    sources: Annotated[
        list[str],
        typer.Argument(help="Photos of a person each; FILE.h5:NAME takes one from a store.", metavar="SRC..."),
    ],
    pose: Annotated[
        list[str],
        typer.Option(
            help="Target pose: FILE.json, FILE.csv:NAME or FILE.h5:NAME; once for each target.", metavar="TARGET"
        ),
    ],
    src_pose: Annotated[
        list[str] | None,
        typer.Option(
            help="Pose of the source; of a CSV or store, the row with the photo's name. Once for all, or for each SRC.",
            metavar="FILE",
        ),
    ] = None,
    src_parsing: Annotated[
        list[str] | None,
        typer.Option(
            help="Parsing map of the source, or a folder of maps named as the photos. Once for all, or for each SRC.",
            metavar="FILE",
        ),
    ] = None,
    parsing: Annotated[
        str | None, typer.Option(help="Parsing map of the result (default: predicted).", metavar="FILE")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="PNG file; for several results a folder.", metavar="FILE|DIR"),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw source, pose, parsing map and result.", metavar="FILE.png")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Networks (default: the newest finished run, else bundled).", metavar="FILE")
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Put the person of every source into every target pose.

    A photo of any size is fitted as a whole into the frame of the networks, and the result has the photo's size. A
    target pose whose frame is known (from a store, a photo beside its CSV, or the canvas in its JSON) is fitted the
    same way; any other is in pixels of the source photo.
    """
    if out is None and sheet is None:
        raise InputError("nowhere to write to: give -o, --sheet or both")
    if sheet is not None:
        _png(sheet, "--sheet")
        if out is not None and sheet.absolute() == out.absolute():
            raise InputError(f"--sheet {sheet} and -o {out} are one file; give the sheet a name of its own")
    _refuse_poses(sources)
    requests = _requests(sources, src_pose or [], src_parsing or [])

    from pgen.data.outputs import check_output
    from pgen.synthesis.generator import load
    from pgen.synthesis.inputs import read_target

    targets = [read_target(spec) for spec in pose]
    seed_everything(seed)
    model = load(weights, choose_device(device))
    say(model.origin)
    # Everything is looked at before the first result is written; photos are read again then, not kept in memory.
    names = []
    for request in requests:
        person = request.person(model)
        _results(person, targets, parsing)
        names.append(person.name)
    places = _places(out, names, [target.name for target in targets], force)
    if sheet is not None:
        check_output(sheet, force)  # after the results' folder was made, in which it may be
    _generate(model, requests, targets, parsing, places, sheet, force)


@dataclass(frozen=True)
class _Request:
    """One source as it was asked for."""

    source: str
    pose: str | None
    parsing: str | None

    def person(self, model: PersonGenerator) -> Person:
        return model.person(self.source, self.pose, self.parsing)


def _generate(
    model: PersonGenerator,
    requests: Sequence[_Request],
    targets: Sequence[LoadedPose],
    parsing: str | None,
    places: list[list[Path | None]],
    sheet: Path | None,
    force: bool,
) -> None:
    """Write every result as soon as it is there; what fails is told at the end, and costs nothing else."""
    from pgen.body.drawing import sheet as draw_sheet
    from pgen.data.images import write_png

    largest = 512 if len(requests) * len(targets) <= _LARGE_ROWS else 256
    rows: list[Row] = []
    written: list[Path] = []
    failures: list[str] = []
    told: set[str] = set()
    with progress("generating", len(requests) * len(targets)) as advance:
        for request, own_places in zip(requests, places, strict=True):
            done = 0
            try:
                person = request.person(model)
                for result, place in zip(_results(person, targets, parsing), own_places, strict=True):
                    done += 1
                    _warn_once((*person.warnings, *result.warnings), told)
                    if sheet is not None:
                        rows.append(result.panels(largest))
                    if place is not None:
                        try:
                            written.append(result.save(place, force))
                        except (PgenError, OSError) as error:
                            failures.append(_one_line(error))
                    advance()
            except (PgenError, RuntimeError, OSError) as error:
                failures.append(f"{request.source}, {len(targets) - done} results: {_one_line(error)}")
    for path in written:
        print(path)
    if sheet is not None and rows:
        write_png(sheet, draw_sheet(rows), force)
        say(f"wrote {sheet}")
    if failures:
        for failure in failures[:-1]:
            warn(failure)
        raise PgenError(f"{failures[-1]} ({len(failures)} failed; every other result was written)")


def _results(person: Person, targets: Sequence[LoadedPose], parsing: str | None) -> Iterator[Result]:
    """Results for all targets; these are checked at once, and worked on when results are asked for."""
    return person.generate_many(targets, None if parsing is None else [parsing] * len(targets))


def _warn_once(warnings: Sequence[str], told: set[str]) -> None:
    for warning in warnings:
        if warning not in told:
            told.add(warning)
            warn(warning)


def _requests(sources: Sequence[str], poses: Sequence[str], parsings: Sequence[str]) -> list[_Request]:
    own_poses = for_each(poses, sources, "--src-pose")
    own_parsings = for_each(parsings, sources, "--src-parsing")
    return [
        _Request(source, pose, None if parsing is None else parsing_of(source, parsing, "--src-parsing"))
        for source, pose, parsing in zip(sources, own_poses, own_parsings, strict=True)
    ]


def _refuse_poses(sources: Sequence[str]) -> None:
    """Refuse target poses that stand among the photos, as after ``--pose A B``."""
    from pgen.data.inputs import split_spec
    from pgen.data.keypoints import pose_format

    for source in sources:
        path, _ = split_spec(source)
        try:
            form = pose_format(path)
        except InputError:
            continue  # neither pose nor photo: reading it as a photo tells what is wrong
        if form in ("csv", "json"):
            raise InputError(f"{source} holds poses and is no photo; give --pose once for each target")


def _places(out: Path | None, sources: Sequence[str], targets: Sequence[str], force: bool) -> list[list[Path | None]]:
    """Where each result goes, by source and target; None without ``out``. Makes the folder that holds several."""
    from pgen.data.outputs import check_output

    if out is None:
        return [[None] * len(targets) for _ in sources]
    several = len(sources) * len(targets) > 1
    if not several and not out.is_dir() and out.suffix:
        check_output(_png(out, "-o"), force)
        return [[out]]
    if out.suffix.lower() == ".png" and not out.is_dir():
        raise InputError(
            f"-o {out} is one file, and there will be {len(sources) * len(targets)} results; name a folder"
        )
    taken: set[str] = set()
    names = [[_unused(f"{_stem(source)}__{_stem(target)}", taken) for target in targets] for source in sources]
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"-o {out}: the folder cannot be made: {error.strerror}") from None
    places: list[list[Path | None]] = [[out / f"{name}.png" for name in row] for row in names]
    for place in (place for row in places for place in row if place is not None):
        check_output(place, force)
    return places


def _png(path: Path, flag: str) -> Path:
    if path.suffix.lower() != ".png":
        raise InputError(f"{flag} {path}: pictures are written as PNG; name it {path.stem or 'out'}.png")
    return path


def _stem(name: str) -> str:
    """The name of a photo or pose as part of a file name."""
    plain = Path(name.replace("\\", "/")).stem
    return re.sub(r"[^\w.-]", "_", plain)[:100] or "pose"


def _unused(name: str, taken: set[str]) -> str:
    """``name``, or with a number behind it if another result has it already."""
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.lower())
    return free


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
