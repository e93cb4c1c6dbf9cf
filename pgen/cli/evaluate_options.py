"""The options of ``pgen evaluate``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Option

_file = partial(Option, metavar="FILE")
_folder = partial(Option, metavar="DIR")
_number = partial(Option, min=1, metavar="N")
Data = Annotated[Path | None, _file(help="Prepared data set, whose test pairs are generated and scored.")]
WeightsFiles = Annotated[
    list[str] | None,
    Option(
        help="With --data: networks to evaluate, a weights file, the folder of a run, or bundled. May be given several "
        "times, and as NAME=PATH.",
        metavar="[NAME=]PATH",
    ),
]
Baseline = Annotated[
    list[str] | None,
    Option(
        help="Also copy-source, affine-paste, label-paste or label-paste-predicted; may be given several times.",
        metavar="NAME",
    ),
]
Maps = Annotated[
    str, Option(help="Maps that the networks paint into: predicted, true, or predicted,true.", metavar="KIND")
]
Generated = Annotated[Path | None, _folder(help="Folder of results, of any system.")]
Targets = Annotated[Path | None, _folder(help="Folder of the true photos, unless --data has them.")]
LayoutName = Annotated[str | None, Option(help="patn, spt, gfla, intrinsic-flow, pgen, plain (default: what fits).")]
Panel = Annotated[int | None, Option(help="Panel that holds the output, from 1, if not the layout's.", metavar="N")]
Pairs = Annotated[
    list[Path] | None, _file(help="List of pairs: from,to CSV, PIDM's text, or SPT's two files, sources first.")
]
Keypoints = Annotated[list[Path] | None, _file(help="Poses of the --targets, for mask-ssim and pckh.")]
Frame = Annotated[str | None, Option(help="Frame of the keypoints, if it is not the photo's own.", metavar="HxW")]
Metrics = Annotated[
    str | None, Option(help="Names with commas between (default: all the usual ones).", metavar="NAMES")
]
Protocol = Annotated[str, Option(help="Of SSIM: legacy, legacy-176, legacy-256pad, gfla-51; several with commas.")]
Against = Annotated[
    str, Option(help="Images that FID is taken from: test, train, or both with a comma.", metavar="SETS")
]
TrainImages = Annotated[Path | None, _folder(help="Folder of training images, for --against train.")]
Detector = Annotated[
    str | None, Option(help="For pckh: a file of pgen train-pose, mediapipe, or keypointrcnn:FILE.", metavar="NAME")
]
Inception = Annotated[Path | None, _file(help="torch-fidelity's weights of Inception-v3.")]
TorchvisionInception = Annotated[Path | None, _file(help="torchvision's weights of Inception-v3.")]
Alexnet = Annotated[Path | None, _file(help="torchvision's weights of AlexNet, for lpips.")]
Lite0 = Annotated[Path | None, _file(help="Weights of EfficientNet-Lite0, if it is not installed.")]
Offline = Annotated[bool, Option("--offline", help="Fetch no weights.")]
PerPerson = Annotated[int | None, _number(help="Only so many pairs of each person, drawn by --seed.")]
Limit = Annotated[int | None, _number(help="Only the first pairs of the list.")]
AsJson = Annotated[bool, Option("--json", help="Print everything as JSON instead of tables.")]
Html = Annotated[Path | None, _file(help="Also write a page: scores, distributions, best and worst.")]
Sheet = Annotated[Path | None, _file(help="Also draw pairs, chosen by --seed alone, with all results, as PNG.")]
Count = Annotated[int, _number(help="How many pairs --sheet draws.")]
Markdown = Annotated[Path | None, _file(help="Also write the table for a README.")]
Cache = Annotated[Path | None, _file(help="Where measurements are kept (default: in ~/.cache/pgen).")]
NoCache = Annotated[bool, Option("--no-cache", help="Keep no measurements after the run.")]
