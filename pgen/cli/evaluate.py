"""``pgen evaluate``: scores of results, each with its protocol."""

from __future__ import annotations

from contextlib import suppress
from inspect import Parameter
from pathlib import Path
from typing import Any

from pgen.cli import options
from pgen.cli.given_options import refuse_idle
from pgen.cli.options import make_option, parse_names, parse_size, with_options
from pgen.cli.output_checks import check_pages
from pgen.cli.score_output import print_report, write_pages
from pgen.cli.terminal import log, progress, warn
from pgen.errors import InputError

_WEIGHTS = "With --data: weights files, folders of runs or bundled, also as NAME=PATH; may be given several times."
_BASELINES = "Also copy-source, affine-paste, label-paste or label-paste-predicted; may be given several times."
_MAPS = "Maps that the networks paint into: predicted, true, or predicted,true."
_RESOLUTION = "Of networks' results: that of published protocols (default), or the photo's (default with --unpaired)."
_LAYOUT = "patn, spt, gfla, intrinsic-flow, pgen, plain (default: what fits)."
_PAIRS = "List of pairs: from,to CSV, PIDM's text, or SPT's two files, sources first."
_METRICS = "Names with commas between (default: all the usual ones)."
_PROTOCOLS = "Of SSIM: legacy, legacy-176, legacy-256pad, gfla-51; several with commas."
_AGAINST = "Images that FID is taken from: test, train, or both with a comma."
_DETECTOR = "Finds joints, for pckh: a file or run of train-pose (default: runs/pose), mediapipe, or keypointrcnn:FILE."
_UNPAIRED = "Score without true photos: everybody of --photos, or of --data, in each --pose."
_PHOTOS = "With --unpaired: a photo, or a folder of them; may be given several times."
_POSE = "With --unpaired: a bundled pose, pose file or photo (default: a few bundled ones); may be given several times."
_PER_PERSON = "Only so many pairs of each person, drawn by --seed."
_SHEET = "Also draw pairs, chosen by --seed alone, with all results."

_DETECTOR_RUN = Path("runs/pose")


def _path(name: str, help: str, metavar: str = "FILE", kind: Any = Path | None) -> Parameter:
    return make_option(name, kind, None, help, metavar=metavar)


@with_options(
    _path("data", "Prepared data set, whose test pairs are generated and scored."),
    make_option("weights", list[str] | None, None, _WEIGHTS, metavar="[NAME=]PATH"),
    make_option("unpaired", bool, False, _UNPAIRED, "--unpaired"),
    _path("photos", _PHOTOS, "PATH", list[Path] | None),
    make_option("pose", list[str] | None, None, _POSE, metavar="POSE"),
    make_option("baselines", list[str] | None, None, _BASELINES, "--baseline", metavar="NAME"),
    make_option("maps", str, "predicted", _MAPS, metavar="KIND"),
    make_option("resolution", str | None, None, _RESOLUTION, metavar="network|photo"),
    _path("generated", "Folder of results, of any system.", "DIR"),
    _path("targets", "Folder of the true photos, unless --data has them.", "DIR"),
    make_option("layout", str | None, None, _LAYOUT),
    make_option("panel", int | None, None, "Panel that holds the output, from 1, if not the layout's.", metavar="N"),
    _path("pairs", _PAIRS, kind=list[Path] | None),
    _path("keypoints", "Poses of the --targets, for mask-ssim and pckh.", kind=list[Path] | None),
    make_option("frame", str | None, None, "Frame of the keypoints, if it is not the photo's own.", metavar="HxW"),
    make_option("metrics", str | None, None, _METRICS, metavar="NAMES"),
    make_option("protocols", str, "legacy", _PROTOCOLS, "--protocol"),
    make_option("against", str, "test", _AGAINST, metavar="SETS"),
    _path("train_images", "Folder of training images, for --against train.", "DIR"),
    make_option("detector", str | None, None, _DETECTOR, metavar="NAME"),
    make_option("parser", options.ParserName, "pgen"),
    _path("inception_weights", "torch-fidelity's weights of Inception-v3."),
    _path("torchvision_inception_weights", "torchvision's weights of Inception-v3."),
    _path("alexnet_weights", "torchvision's weights of AlexNet, for lpips."),
    _path("lite0_weights", "Weights of EfficientNet-Lite0, if it is not installed."),
    make_option("offline", bool, False, "Fetch no weights.", "--offline"),
    make_option("per_person", int | None, None, _PER_PERSON, min=1, metavar="N"),
    make_option("limit", int | None, None, "Only the first pairs of the list.", min=1, metavar="N"),
    make_option("as_json", bool, False, "Print everything as JSON instead of tables.", "--json"),
    make_option("with_protocols", bool, False, "Also print how each score was computed.", "--protocols"),
    make_option("min_confidence", options.MinConfidence, options.CONFIDENCE),
    _path("html", "Also write a page: scores, distributions, and a table of all pairs."),
    _path("sheet", _SHEET),
    make_option("count", int, 12, "How many pairs --sheet draws.", min=1, metavar="N"),
    _path("markdown", "Also write the table for a README."),
    _path("cache", "Where measurements are kept (default: in ~/.cache/pgen)."),
    make_option("no_cache", bool, False, "Keep no measurements after the run.", "--no-cache"),
    make_option("workers", options.Workers, None),
    make_option("device", options.Device, "auto"),
    make_option("seed", options.Seed, 0),
    make_option("force", options.Force, False),
)
def run(as_json: bool, with_protocols: bool, count: int, force: bool, **given: Any) -> None:
    """Score results against the true photos; every score with its protocol, pairs and weights.

    What is scored: the test pairs of --data, generated by --weights and --baseline; or the results of any system in
    --generated, against the photos in --targets or --data; or, with --unpaired, anybody in any pose, without true
    photos. Run again, it goes on where it was stopped.
    """
    from pgen.data.inputs import check_apart
    from pgen.data.weights import find_weights
    from pgen.evaluation.run import evaluate
    from pgen.runtime.seed import seed_everything

    pages = {name: given.pop(name) for name in ("markdown", "html", "sheet")}
    outputs = {name: path for name, path in pages.items() if path is not None}
    refuse_idle("count", pages["sheet"] is None, "pairs are drawn on --sheet")
    refuse_idle("force", not outputs, "no file is written")
    refuse_idle("with_protocols", as_json, "--json always tells them")
    refuse_idle("min_confidence", not given["keypoints"], "it is about --keypoints")
    read = [name for value in given.values() for name in (value if isinstance(value, list) else [value])]
    check_apart(outputs.values(), read)
    check_pages(force, **outputs)
    seed_everything(given["seed"])
    given = {name: value for name, value in given.items() if value is not None}
    for name in ("maps", "metrics", "protocols", "against"):
        if name in given:
            given[name] = parse_names(given[name], name)
    if "frame" in given:
        given["frame"] = parse_size(given["frame"], "--frame")
    finds_joints = not {"pckh", "joint-error", "parsed-miou"}.isdisjoint(given.get("metrics", ["pckh"]))
    if "detector" not in given and not given["unpaired"] and finds_joints and _DETECTOR_RUN.is_dir():
        with suppress(InputError):  # a run that has no weights yet
            find_weights(_DETECTOR_RUN)
            given["detector"] = str(_DETECTOR_RUN)
            log(f"pckh: joints are found by {_DETECTOR_RUN}")
    report = evaluate(**given, log=log, warn=warn, progress=progress)
    print_report(report, as_json, with_protocols)
    write_pages(report, **pages, count=count, overwrite=force)
