"""The authors' published appearance generator as a weights file of this package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pgen.data.inputs import check_apart
from pgen.data.weights import read_state_dict, save_weights
from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig, TwoLevelAppearanceGenerator
from pgen.models.published_weights import rename_published
from pgen.runtime.atomic_write import check_output

#: The frame that the published generator was trained at.
FRAME = (256, 256)


def import_published_weights(file: str | os.PathLike[str], out: Path, overwrite: bool = False) -> int:
    """Turn the published generator's state dict ``file`` into a weights file ``out``; how many parameters it has.

    Nothing in the file is executed. Raises `InputError` if it holds another network, or ``out`` cannot be written.
    """
    if out.suffix != ".safetensors":
        raise InputError(
            f"{out}: weights are written as safetensors; name it {out.stem or 'out'}.safetensors", option="out"
        )
    check_apart([out], [file])
    check_output(out, overwrite)
    state = read_state_dict(file)
    try:
        model = build_published_generator(state)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    info = {"origin": f"published appearance generator, imported from {Path(file).name}"}
    save_weights(out, FRAME, {"appearance": model}, info, overwrite=overwrite)
    return sum(p.numel() for p in model.parameters())


def build_published_generator(published: Mapping[str, Tensor]) -> TwoLevelAppearanceGenerator:
    """The generator of the authors' state dict; its sizes are those of the tensors.

    Raises `InputError` if parameters are foreign, missing, or do not fit together.
    """
    state = rename_published(published)
    config = _read_config(state)
    with torch.device("meta"):  # the sizes come from a file: nothing is allocated for them
        wanted = TwoLevelAppearanceGenerator(config).state_dict()
    for name, value in wanted.items():
        if name not in state:
            raise InputError(f"it lacks the parameter that becomes {name}; give the whole generator's state dict")
        if state[name].shape != value.shape:
            found, right = tuple(state[name].shape), tuple(value.shape)
            raise InputError(f"the parameter that becomes {name} has the shape {found}, not {right}: another network")
    for name in state:
        if name not in wanted:
            raise InputError(f"it has a parameter too many, which would become {name}: another network")
    model = TwoLevelAppearanceGenerator(config)
    model.load_state_dict({name: value.float() for name, value in state.items()})
    return model.eval()


def _read_config(state: Mapping[str, Tensor]) -> AppearanceConfig:
    """Channels of each encoder level, as the tensors have them."""

    def widths(encoder: str) -> tuple[int, ...]:
        found = []
        name = f"{encoder}.stem.weight"
        while name in state and state[name].ndim == 4:
            found.append(state[name].shape[0])
            name = f"{encoder}.blocks.{len(found) - 1}.conv.weight"
        return tuple(found)

    coarse, local = widths("coarse.source_encoder"), widths("source_encoder")
    default = AppearanceConfig()
    if len(coarse) != len(default.widths) or len(local) != len(default.local_widths):
        raise InputError("it is not the published appearance generator, whose encoders have six and two levels")
    return AppearanceConfig(widths=coarse, local_widths=local)
