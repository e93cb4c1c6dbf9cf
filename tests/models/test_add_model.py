"""What pgen/models/README.md says about adding a model, done."""

from __future__ import annotations

import pytest
import torch

from pgen.models import registry
from pgen.models.registry import MODELS, build_network, default_config, describe_network, restore_network
from tests.howto import add_entry, add_module, list_blocks, read_howto


def test_a_model_is_a_file_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    source, entry = list_blocks(read_howto("models", "How to add a model"))
    module = add_module(source, monkeypatch)
    module.NetworkKind = registry.NetworkKind  # type: ignore[attr-defined]
    kind = add_entry(entry, MODELS["discriminator"], module, monkeypatch)
    network = build_network("discriminator", default_config("discriminator", kind))
    assert network(torch.zeros(2, 12, 8, 6)).shape == (2, 1, 8, 6)
    again = restore_network("discriminator", describe_network(network))
    assert again.config == network.config
