"""Market-1501 in miniature."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pgen.data.readers.market1501 import SIZE
from tests.data.trees import pairs_of, shots, write_csv, write_map, write_pairs, write_photo

SHOTS = shots(SIZE, "market")
JUNK = ("-1_c1s1_000401_03.jpg", "0000_c1s1_000151_01.jpg")


def write_market(root: Path, train: str = "bounding_box_train", test: str = "bounding_box_test") -> None:
    for shot in SHOTS:
        folder = test if shot.tested else train
        write_photo(root / folder / shot.market, shot.example.image)
        write_map(root / "parsing" / shot.market.replace(".jpg", ".npy"), shot.example.parsing, np.int8)
    for name in JUNK:
        write_photo(root / test / name, np.zeros((*SIZE, 3), np.uint8))
    write_photo(root / "query" / "0009_c1s1_000001_00.jpg", np.zeros((*SIZE, 3), np.uint8))
    for split in ("train", "test"):
        poses = {shot.market: shot.example.pose for shot in SHOTS if shot.tested == (split == "test")}
        if split == "test":
            poses |= dict.fromkeys(JUNK, SHOTS[0].example.pose)
        write_csv(root / f"market-annotation-{split}.csv", poses)
    write_pairs(root / "market-pairs-test.csv", pairs_of(lambda shot: shot.market, SHOTS))
