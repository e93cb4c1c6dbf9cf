"""``pgen presets``: the fields of a training, and what the presets set them to."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from pgen.cli.given_options import refuse_idle
from pgen.cli.terminal import print_table
from pgen.errors import InputError


def run(
    name: Annotated[str | None, Argument(metavar="[NAME]", help="A preset (default: which there are).")] = None,
    recipe: Annotated[
        str | None, Option(help="Losses and additions (default: what the preset is meant for).", metavar="NAME")
    ] = None,
) -> None:
    """Show every field of a preset, with its default and its meaning, as --set of the trainings takes it."""
    import json

    from pgen.training.config import Preset, find_recipe, list_names, load_preset
    from pgen.training.config_fields import iter_fields

    refuse_idle("recipe", name is None, "it is that of a preset, and none is named")
    if name is None:
        print_table("presets", [(each, find_recipe(each)) for each in list_names("preset")], ("preset", "its recipe"))
        return
    try:
        preset = load_preset(name, recipe=recipe)
    except InputError as error:
        error.option = None if error.option == "preset" else error.option  # here it is no option
        raise
    defaults = {info.path: info.default for info in iter_fields(Preset())}
    rows = []
    for info in iter_fields(preset):
        default = defaults.get(info.path, info.default)
        rows.append(
            (info.path, json.dumps(info.default), "" if default == info.default else json.dumps(default), info.doc)
        )
    title = f"preset {name} with recipe {recipe or find_recipe(name)}"
    print_table(title, rows, ("field", "value", "default, if another", "meaning"))
