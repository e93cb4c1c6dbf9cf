"""``pgen import-weights``: the authors' published weights into a file of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.errors_to_exit_codes import log
from pgen.cli.options import Force
from pgen.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from pgen.models.appearance import AppearanceConfig, TwoLevelAppearanceGenerator

#: The frame that the published generator was trained at.
FRAME = (256, 256)


def run(
    file: Annotated[Path, typer.Argument(help="State dict of the published generator.", metavar="FILE.pth")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.", metavar="OUT.safetensors")],
    force: Force = False,
) -> None:
    """Turn the published appearance generator (H_A) into a weights file of pgen.

    Nothing in the file is executed. The result holds no H_S: `pgen generate` needs --parsing with it.
    """
    if out.suffix != ".safetensors":
        raise InputError(f"-o {out}: weights are written as safetensors; name it {out.stem or 'out'}.safetensors")
    from pgen.data.weights import read_state_dict, save_weights
    from pgen.runtime.atomic_write import check_output

    check_output(out, force)
    state = read_state_dict(file)
    try:
        model = published_generator(state)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    info = {"origin": f"published appearance generator, imported from {file.name}"}
    save_weights(out, FRAME, {"appearance": model}, info, force=force)
    log(f"wrote {out}: H_A with {sum(p.numel() for p in model.parameters()):,} parameters")


def published_generator(published: Mapping[str, Tensor]) -> TwoLevelAppearanceGenerator:
    """The generator of the authors' state dict; its sizes are those of the tensors.

    Raises `InputError` if parameters are foreign, missing, or do not fit together.
    """
    import torch

    from pgen.models.appearance import TwoLevelAppearanceGenerator
    from pgen.models.published_weights import rename_published

    state = rename_published(published)
    config = _config(state)
    with torch.device("meta"):  # the sizes come from a file: nothing is allocated for them
        wanted = TwoLevelAppearanceGenerator(config).state_dict()
    for name, value in wanted.items():
        if name not in state:
            raise InputError(f"it lacks the parameter that becomes {name}; give the whole generator's state dict")
        if state[name].shape != value.shape:
            found, right = tuple(state[name].shape), tuple(value.shape)
            raise InputError(f"the parameter that becomes {name} has the shape {found}, not {right}: another network")
    for name, value in state.items():
        if name not in wanted:
            raise InputError(f"it has a parameter too many, which would become {name}: another network")
        if not value.isfinite().all():
            raise InputError(f"the parameter that becomes {name} is not finite: the file is damaged")
    model = TwoLevelAppearanceGenerator(config)
    model.load_state_dict({name: value.float() for name, value in state.items()})
    return model.eval()


def _config(state: Mapping[str, Tensor]) -> AppearanceConfig:
    """Channels of each encoder level, as the tensors have them."""
    from pgen.models.appearance import AppearanceConfig

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
