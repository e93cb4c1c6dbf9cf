from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pgen.body.labels import Label
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.annotators.segformer import SegFormer
from pgen.errors import InputError
from tests.data.examples import STANDING, example

A = example(0)
torch.set_num_threads(1)


def checkpoint(folder: Path, labels: int, always: int | None = None) -> Path:
    """A tiny SegFormer with random weights, or one that finds the same label everywhere."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.SegformerConfig(
        hidden_sizes=[4, 4, 4, 4],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=8,
        num_labels=labels,
    )
    network = transformers.SegformerForSemanticSegmentation(config)
    if always is not None:
        torch.nn.init.zeros_(network.decode_head.classifier.weight)
        torch.nn.init.zeros_(network.decode_head.classifier.bias)
        network.decode_head.classifier.bias.data[always] = 9
    network.save_pretrained(folder)
    return folder


def test_atr_becomes_the_ten_labels(tmp_path: Path) -> None:
    parser = SegFormer(checkpoint(tmp_path / "net", 18, always=9))  # left shoe
    found = parser.parse([ParsingRequest(A.image, STANDING)])[0].labels
    assert (found.shape, found.dtype) == (A.parsing.shape, np.uint8)
    assert set(np.unique(found)) == {Label.L_LEG, Label.R_LEG}  # by the nearest leg
    silhouette = np.zeros(A.parsing.shape, np.float32)
    silhouette[20:110, 30:100] = 1
    found = parser.parse([ParsingRequest(A.image, STANDING, silhouette)])[0].labels
    assert not found[:10].any()
    assert found[30:100, 40:90].all()


def test_random_weights_give_a_map_of_any_size(tmp_path: Path) -> None:
    photo = np.zeros((90, 50, 3), np.uint8)
    found = SegFormer(checkpoint(tmp_path / "net", 18)).parse([ParsingRequest(photo, STANDING * 0.4)])[0].labels
    assert found.shape == (90, 50)
    assert found.max() < 10


def test_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match="segformer:none: is not the folder"):
        SegFormer("none")
    with pytest.raises(InputError, match="has 3 labels, not the 18 of ATR"):
        SegFormer(checkpoint(tmp_path / "three", 3))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: not a SegFormer checkpoint.*segformer:FOLDER"):
        SegFormer(tmp_path / "empty")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str, *rest: Any) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find)
    monkeypatch.setattr("pgen.data.annotators.segformer.find_spec", find)
    with pytest.raises(InputError, match=r"pip install 'pgen\[transformers\]'"):
        SegFormer("none")
