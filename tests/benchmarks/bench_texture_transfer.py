"""Texture transfer on held-out synthetic pairs, where the renderer knows the person in the other's clothes.

Inside the transferred region, against two baselines: the clothes' region carried by the part-wise affine warps, with
its mean colour where they bring none, and its mean colour alone.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_texture_transfer.py``; ``PGEN_WEIGHTS`` names the weights (default:
the bundled ones), ``PGEN_PAIRS`` how many pairs, ``PGEN_SHEET`` a PNG file for the first of them, ``PGEN_KEEP`` a
folder that keeps what is rendered, for a next time.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from pgen.body.labels import Label
from pgen.body.transfer import Transfer
from pgen.body.viz import draw_sheet
from pgen.data.formats.images import write_image
from pgen.data.pretrained import BUNDLED, load_vgg_features
from pgen.inference.person import Person
from pgen.inference.pixels.shading import apply_shading, estimate_shading
from pgen.inference.predictor import Predictor, load
from pgen.models.vgg import VggFeatures
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import render
from tests.benchmarks.kept import Arrays, kept

SEED = 4242
#: How many pairs the sheet shows, and how large.
ROWS, CELL = 6, (160, 160)
#: Regions of fewer pixels, as a share of the frame, say nothing.
SMALLEST = 0.004

WHAT = ("image", "pose", "parsing")

Picture = NDArray[np.uint8]


def cases(size: tuple[int, int]) -> Iterator[Arrays]:
    """Pairs of held-out people that both show enough of a top.

    Image, parsing and pose of the clothes and of the person, and the true results: the person in the clothes' texture
    (``textured``), or in the clothes themselves (``dressed``, with its parsing).
    """
    index = 0
    while True:
        pair = (2 * index, 2 * index + 1)
        giver, taker = (synthetic_person(SEED, number) for number in pair)
        given, taken = (synthetic_shot(SEED, number, 0) for number in pair)
        index += 1
        shown = {"clothes": render(giver, given, size), "person": render(taker, taken, size)}
        if min((one.parsing == Label.UPPER).mean() for one in shown.values()) > SMALLEST:
            textured = render(replace(taker, top=replace(taker.top, texture=giver.top.texture)), taken, size)
            dressed = render(replace(taker, top=giver.top), taken, size)
            case: Arrays = {f"{name} {what}": getattr(one, what) for name, one in shown.items() for what in WHAT}
            yield case | {"textured": textured.image, "dressed": dressed.image, "dressed parsing": dressed.parsing}


def scores(found: Picture, true: Picture, region: NDArray[np.bool_], vgg: VggFeatures) -> tuple[float, float]:
    """Mean SSIM and mean squared distance of unit-length relu2_1 features inside ``region``."""
    _, ssim = structural_similarity(
        found, true, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip
    pictures = torch.from_numpy(np.stack([found, true])).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        features = torch.nn.functional.normalize(vgg(pictures), dim=1)
    distance = (features[0] - features[1]).square().sum(0)
    weight = torch.nn.functional.avg_pool2d(torch.from_numpy(region)[None].float(), 2)[0]
    return float(ssim.mean(2)[region].mean()), float((distance * weight).sum() / weight.sum())


def baselines(model: Predictor, clothes: Person, person: Person) -> dict[str, Picture]:
    """The person with the top pasted by the part-wise warps, and filled with the top's mean colour."""
    giver, taker = (model.networks.frame_person(one).batch for one in (clothes, person))
    transfer = Transfer(giver.poses, taker.poses, model.frame)
    pasted = transfer.paste(giver.images, giver.labels, taker.labels).image[0]
    carried = ((pasted + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    region = (person.parsing == Label.UPPER)[..., None]
    mean = clothes.image[clothes.parsing == Label.UPPER].mean(axis=0).round().astype(np.uint8)
    light = estimate_shading(person.image, region[..., 0])
    return {
        "affine paste": np.where(region, carried, person.image),
        "mean colour": np.where(region, mean, person.image),
        # No baseline of others, but what our shading alone brings.
        "mean colour, shaded": np.where(
            region, apply_shading(np.broadcast_to(mean, carried.shape), light), person.image
        ),
    }


@pytest.mark.benchmark
def test_bench_texture_transfer() -> None:
    model = load(os.environ.get("PGEN_WEIGHTS") or None, "cpu")
    count = int(os.environ.get("PGEN_PAIRS", "100"))
    vgg, _ = load_vgg_features(BUNDLED)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    rows = []
    for number, case in enumerate(kept("texture-transfer", count, lambda: cases(model.frame))):
        clothes, person = (
            model.person(*(case[f"{name} {what}"] for what in WHAT), crop=False) for name in ("clothes", "person")
        )
        texture = model.transfer_texture(clothes, person, ["upper"])
        others = baselines(model, clothes, person)
        region = person.parsing == Label.UPPER
        for name, image in {"H_A": texture.image, **others}.items():
            found[name].append(scores(image, case["textured"], region, vgg))
        shaped = model.transfer_texture(clothes, person, ["upper"], shape=True)
        # What either garment covers: the new one must be there, and the old one gone.
        either = region | (case["dressed parsing"] == Label.UPPER)
        for name, image in {"H_A": shaped.image, **others}.items():
            found[f"{name}, shape"].append(scores(image, case["dressed"], either, vgg))
        if number < ROWS:
            pictures = {"clothes": clothes.image, "person": person.image, "texture-transfer": texture.image}
            pictures |= {"affine paste": others["affine paste"], "mean colour": others["mean colour"]}
            pictures |= {"truth": case["textured"], "--shape": shaped.image, "truth, --shape": case["dressed"]}
            rows.append(list(pictures.items()))
    print(f"\n{model.origin}; {count} pairs; inside the region: SSIM (higher is better), relu2_1 distance (lower)")
    for name, values in found.items():
        ssim, distance = np.mean(values, axis=0)
        print(f"{name:24} {ssim:.4f} {distance:.4f}")
    if os.environ.get("PGEN_SHEET"):
        write_image(os.environ["PGEN_SHEET"], draw_sheet(rows, cell=CELL), overwrite=True)
    for end in ("", ", shape"):
        ours = np.mean(found[f"H_A{end}"], axis=0)
        for name in ("affine paste", "mean colour"):
            theirs = np.mean(found[f"{name}{end}"], axis=0)
            assert ours[0] > theirs[0], f"SSIM of {name}{end}"
            assert ours[1] < theirs[1], f"distance of {name}{end}"
