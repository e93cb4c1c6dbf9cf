"""``pgen evaluate``: scores of results, each with its protocol."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.errors_to_exit_codes import choose_device, log, print_table, progress, seed_everything, warn
from pgen.cli.options import Device, Force, Seed, Workers, parse_size
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.evaluation.cache import ScoreCache
    from pgen.evaluation.matching import MatchedResults
    from pgen.evaluation.methods import Method, Pair
    from pgen.evaluation.photos import FolderPhotos, Photos, StorePhotos
    from pgen.evaluation.run import SystemResult
    from pgen.metrics.scores import Options

_NAMES = 3  # of files, in a message
_FILE = "FILE"


def run(
    data: Annotated[
        Path | None, typer.Option(help="Prepared data set, whose test pairs are generated and scored.", metavar=_FILE)
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="With --data: networks to evaluate, a weights file, the folder of a run, or bundled. May be given "
            "several times, and as NAME=PATH.",
            metavar="[NAME=]PATH",
        ),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help="Also copy-source, affine-paste, label-paste or label-paste-predicted; may be given several times.",
            metavar="NAME",
        ),
    ] = None,
    maps: Annotated[
        str, typer.Option(help="Maps that the networks paint into: predicted, true, or predicted,true.", metavar="KIND")
    ] = "predicted",
    generated: Annotated[Path | None, typer.Option(help="Folder of results, of any system.", metavar="DIR")] = None,
    targets: Annotated[
        Path | None, typer.Option(help="Folder of the true photos, unless --data has them.", metavar="DIR")
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="patn, spt, gfla, intrinsic-flow, pgen, plain (default: what fits).")
    ] = None,
    panel: Annotated[
        int | None, typer.Option(help="Panel that holds the output, from 1, if not the layout's.", metavar="N")
    ] = None,
    pairs: Annotated[
        list[Path] | None,
        typer.Option(help="List of pairs: from,to CSV, PIDM's text, or SPT's two files, sources first.", metavar=_FILE),
    ] = None,
    keypoints: Annotated[
        list[Path] | None, typer.Option(help="Poses of the --targets, for mask-ssim and pckh.", metavar=_FILE)
    ] = None,
    frame: Annotated[
        str | None, typer.Option(help="Frame of the keypoints, if it is not the photo's own.", metavar="HxW")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Names with commas between (default: all the usual ones).", metavar="NAMES")
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="Of SSIM: legacy, legacy-176, legacy-256pad, gfla-51; several with commas.")
    ] = "legacy",
    against: Annotated[
        str, typer.Option(help="Images that FID is taken from: test, train, or both with a comma.", metavar="SETS")
    ] = "test",
    train_images: Annotated[
        Path | None, typer.Option(help="Folder of training images, for --against train.", metavar="DIR")
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(help="For pckh: a file of pgen train-pose, mediapipe, or keypointrcnn:FILE.", metavar="NAME"),
    ] = None,
    inception_weights: Annotated[
        Path | None, typer.Option(help="torch-fidelity's weights of Inception-v3.", metavar=_FILE)
    ] = None,
    torchvision_inception_weights: Annotated[
        Path | None, typer.Option(help="torchvision's weights of Inception-v3.", metavar=_FILE)
    ] = None,
    alexnet_weights: Annotated[
        Path | None, typer.Option(help="torchvision's weights of AlexNet, for lpips.", metavar=_FILE)
    ] = None,
    lite0_weights: Annotated[
        Path | None, typer.Option(help="Weights of EfficientNet-Lite0, if it is not installed.", metavar=_FILE)
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch no weights.")] = False,
    per_person: Annotated[
        int | None, typer.Option(min=1, help="Only so many pairs of each person, drawn by --seed.", metavar="N")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first pairs of the list.", metavar="N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of tables.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page: scores, distributions, best and worst.", metavar=_FILE)
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also draw pairs, chosen by --seed alone, with all results, as PNG.", metavar=_FILE),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many pairs --sheet draws.", metavar="N")] = 12,
    markdown: Annotated[Path | None, typer.Option(help="Also write the table for a README.", metavar=_FILE)] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where measurements are kept (default: in ~/.cache/pgen).", metavar=_FILE)
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no measurements after the run.")] = False,
    workers: Workers = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Score results against the true photos; every score with its protocol, pairs and weights.

    What is scored: the test pairs of --data, generated by --weights and --baseline; or the results of any system in
    --generated, against the photos in --targets or --data. Run again, it goes on where it was stopped.
    """
    from pgen.cli.evaluate_inputs import (
        few_of_each,
        names_in,
        pairs_to_score,
        read_options,
        systems_to_score,
        wanted_pairs,
    )
    from pgen.evaluation.matching import match_results
    from pgen.evaluation.photos import FolderPhotos, StorePhotos
    from pgen.metrics.scores import USUAL
    from pgen.runtime.atomic_write import check_output
    from pgen.runtime.parallel_map import count_processors

    for output in (html, markdown, sheet):
        if output is not None:
            check_output(output, force)
    if (data is None) == (targets is None):
        raise InputError("give the true photos: --data FILE.h5, or --targets DIR" + " (not both)" * bool(data))
    kinds = names_in(maps, "--maps")
    if not set(kinds) <= {"predicted", "true"}:
        raise InputError(f"--maps {maps}: choose predicted, true, or predicted,true")
    seed_everything(seed)
    own_device = str(choose_device(device))
    asked = names_in(metrics, "--metrics") if metrics else USUAL
    options = read_options(asked, protocol, against, own_device, not offline)
    options = replace(
        options,
        detector=detector,
        inception=inception_weights,
        torchvision_inception=torchvision_inception_weights,
        alexnet=alexnet_weights,
        lite0=lite0_weights,
    )
    photos: StorePhotos | FolderPhotos
    if data is not None:
        photos = StorePhotos(data)
    else:
        assert targets is not None
        photos = FolderPhotos(targets, keypoints or (), parse_size(frame, "--frame") if frame else None)
    wanted = wanted_pairs(pairs or [], photos)
    matched = None
    if generated is not None:
        every = photos.names() if isinstance(photos, FolderPhotos) else ()
        matched = match_results(generated, photos, layout, panel, wanted, every)
        _tell(matched)
    chosen = pairs_to_score(matched, wanted, photos)
    if per_person is not None:
        chosen = few_of_each(chosen, photos, per_person, seed)
    chosen = chosen[:limit]
    systems = systems_to_score(matched, generated, weights or [], baseline or [], photos, kinds, own_device)
    at_once = workers or (count_processors() if own_device == "cpu" else 1)
    results = []
    with _cache(cache, no_cache) as opened:
        for system in systems:
            results.append(_evaluate(system, photos, chosen, options, opened, at_once, train_images, seed))
    _write(results, photos, as_json, html, markdown, seed, force)
    if sheet is not None:
        _draw(sheet, systems, photos, chosen, count, seed, force)


def _draw(
    path: Path, systems: Sequence[Method], photos: Photos, pairs: Sequence[Pair], count: int, seed: int, force: bool
) -> None:
    from PIL import Image

    from pgen.evaluation.examples import example_sheet
    from pgen.runtime.atomic_write import atomic_write

    picture = example_sheet(systems, photos, pairs, count, seed)
    with atomic_write(path, force=force) as aside:
        Image.fromarray(picture).save(aside, format="PNG", optimize=True)


def _evaluate(
    system: Method,
    photos: StorePhotos | FolderPhotos,
    pairs: Sequence[Pair],
    options: Options,
    cache: ScoreCache,
    workers: int,
    train_images: Path | None,
    seed: int,
) -> SystemResult:
    from pgen.evaluation.photos import FolderPhotos, StorePhotos
    from pgen.evaluation.report import remarks
    from pgen.evaluation.run import evaluate

    training: tuple[Photos, Sequence[str]] | None = None
    if train_images is not None:
        folder = FolderPhotos(train_images)
        training = (folder, folder.names())
    elif isinstance(photos, StorePhotos):
        training = (photos, photos.split("train"))
    with progress(system.name, len(pairs)) as advance:
        result = evaluate(system, photos, pairs, options, cache, workers, training, seed, advance)
    for line in remarks(result):
        warn(f"{system.name}: {line}")
    return result


def _tell(matched: MatchedResults) -> None:
    for note in matched.notes:
        log(note)
    for what, names in (("pairs have no result", matched.missing), ("files belong to no pair", matched.surplus)):
        if names:
            warn(f"{len(names)} {what}: {', '.join(names[:_NAMES])}{', …' * (len(names) > _NAMES)}")


def _write(
    results: Sequence[SystemResult],
    photos: Photos,
    as_json: bool,
    html: Path | None,
    markdown: Path | None,
    seed: int,
    force: bool,
) -> None:
    from pgen.evaluation import report
    from pgen.runtime.atomic_write import atomic_write

    if as_json:
        print(json.dumps(report.to_data(results, seed), indent=1, ensure_ascii=False))
    else:
        _print(results)
    if markdown is not None:
        with atomic_write(markdown, force) as aside:
            aside.write_text(report.markdown(results, "pgen " + shlex.join(sys.argv[1:])), "utf-8")
        log(f"wrote {markdown}")
    if html is not None:
        from pgen.cli.evaluate_page import evaluation_page

        with atomic_write(html, force) as aside:
            aside.write_text(evaluation_page(results, photos), "utf-8")
        log(f"wrote {html}")


def _print(results: Sequence[SystemResult]) -> None:
    from pgen.evaluation import report

    names = report.score_names(results)
    if len(results) == 1:
        print_table(results[0].system.name, list(zip(names, report.rows_of(results)[0][1:], strict=True)))
    else:
        columns = list(zip(names, *(row[1:] for row in report.rows_of(results)), strict=True))
        print_table("scores", columns, ["", *(result.system.name for result in results)])
    print_table(
        "how they were computed", report.provenance(results), ("score", "protocol", "pairs", "weights, versions")
    )
    for name, why in report.not_computed(results).items():
        print(f"{name}: not computed: {why}")


@contextmanager
def _cache(path: Path | None, without: bool) -> Iterator[ScoreCache]:
    """Where measurements are kept: a file of the user, or one for this run alone."""
    from pgen.evaluation.cache import ScoreCache, default_cache

    with tempfile.TemporaryDirectory() as folder:
        opened = ScoreCache(Path(folder) / "scores.sqlite" if without else path or default_cache())
        try:
            yield opened
        finally:
            opened.close()
