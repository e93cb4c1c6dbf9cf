"""The options of ``pgen evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_FILE = "FILE"

Data = Annotated[
    Path | None, typer.Option(help="Prepared data set, whose test pairs are generated and scored.", metavar=_FILE)
]
WeightsFiles = Annotated[
    list[str] | None,
    typer.Option(
        help="With --data: networks to evaluate, a weights file, the folder of a run, or bundled. May be given several "
        "times, and as NAME=PATH.",
        metavar="[NAME=]PATH",
    ),
]
Baseline = Annotated[
    list[str] | None,
    typer.Option(
        help="Also copy-source, affine-paste, label-paste or label-paste-predicted; may be given several times.",
        metavar="NAME",
    ),
]
Maps = Annotated[
    str, typer.Option(help="Maps that the networks paint into: predicted, true, or predicted,true.", metavar="KIND")
]
Generated = Annotated[Path | None, typer.Option(help="Folder of results, of any system.", metavar="DIR")]
Targets = Annotated[Path | None, typer.Option(help="Folder of the true photos, unless --data has them.", metavar="DIR")]
LayoutName = Annotated[
    str | None, typer.Option(help="patn, spt, gfla, intrinsic-flow, pgen, plain (default: what fits).")
]
Panel = Annotated[
    int | None, typer.Option(help="Panel that holds the output, from 1, if not the layout's.", metavar="N")
]
Pairs = Annotated[
    list[Path] | None,
    typer.Option(help="List of pairs: from,to CSV, PIDM's text, or SPT's two files, sources first.", metavar=_FILE),
]
Keypoints = Annotated[
    list[Path] | None, typer.Option(help="Poses of the --targets, for mask-ssim and pckh.", metavar=_FILE)
]
Frame = Annotated[str | None, typer.Option(help="Frame of the keypoints, if it is not the photo's own.", metavar="HxW")]
Metrics = Annotated[
    str | None, typer.Option(help="Names with commas between (default: all the usual ones).", metavar="NAMES")
]
Protocol = Annotated[
    str, typer.Option(help="Of SSIM: legacy, legacy-176, legacy-256pad, gfla-51; several with commas.")
]
Against = Annotated[
    str, typer.Option(help="Images that FID is taken from: test, train, or both with a comma.", metavar="SETS")
]
TrainImages = Annotated[
    Path | None, typer.Option(help="Folder of training images, for --against train.", metavar="DIR")
]
Detector = Annotated[
    str | None,
    typer.Option(help="For pckh: a file of pgen train-pose, mediapipe, or keypointrcnn:FILE.", metavar="NAME"),
]
Inception = Annotated[Path | None, typer.Option(help="torch-fidelity's weights of Inception-v3.", metavar=_FILE)]
TorchvisionInception = Annotated[
    Path | None, typer.Option(help="torchvision's weights of Inception-v3.", metavar=_FILE)
]
Alexnet = Annotated[Path | None, typer.Option(help="torchvision's weights of AlexNet, for lpips.", metavar=_FILE)]
Lite0 = Annotated[
    Path | None, typer.Option(help="Weights of EfficientNet-Lite0, if it is not installed.", metavar=_FILE)
]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch no weights.")]
PerPerson = Annotated[
    int | None, typer.Option(min=1, help="Only so many pairs of each person, drawn by --seed.", metavar="N")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first pairs of the list.", metavar="N")]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of tables.")]
Html = Annotated[
    Path | None, typer.Option(help="Also write a page: scores, distributions, best and worst.", metavar=_FILE)
]
Sheet = Annotated[
    Path | None, typer.Option(help="Also draw pairs, chosen by --seed alone, with all results, as PNG.", metavar=_FILE)
]
Count = Annotated[int, typer.Option(min=1, help="How many pairs --sheet draws.", metavar="N")]
Markdown = Annotated[Path | None, typer.Option(help="Also write the table for a README.", metavar=_FILE)]
Cache = Annotated[
    Path | None, typer.Option(help="Where measurements are kept (default: in ~/.cache/pgen).", metavar=_FILE)
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep no measurements after the run.")]
