from __future__ import annotations

from pathlib import Path

import torch

from pgen.data.trunk import load_trunk_state
from pgen.data.weights import load_weights
from pgen.models.efficientnet_lite0 import fold_batch_norms
from pgen.models.parser import TRUNK_STAGES, Parser, ParserConfig
from pgen.tools.derive_lite0 import derive
from tests.models.published_lite0 import STAGES, published


def test_the_bundled_trunk_fits_and_sees_edges() -> None:
    parser = Parser(ParserConfig())
    parser.trunk.load_state_dict(load_trunk_state())
    flat, half = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    half[..., 32:] = 1
    of_flat, of_half = (parser.trunk.features(image).stages[0] for image in (flat, half))
    assert (of_half - of_flat)[..., 15:17].abs().mean() > 0.5
    assert all(value.dtype == torch.float32 for value in load_trunk_state().values())


def test_a_parser_is_made_of_published_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = published(STAGES)
    torch.save(state, tmp_path / "lite0.pth")
    derive(tmp_path / "lite0.pth", tmp_path / "parser.safetensors")
    parser = load_weights(tmp_path / "parser.safetensors").parser
    assert parser is not None
    for name, value in fold_batch_norms(state, TRUNK_STAGES).items():
        torch.testing.assert_close(parser.trunk.state_dict()[name], value.half().float())
