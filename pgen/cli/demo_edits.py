"""What `pgen demo` shows of texture transfer and manipulation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.html_page import Section, figure, side_by_side

if TYPE_CHECKING:
    from pgen.cli.demo_people import DemoPerson
    from pgen.inference.person import Person

#: The edits that are shown, each of the first person.
EDITS: tuple[dict[str, str], ...] = ({"sleeves": "long"}, {"lower": "skirt"}, {"hair": "short"})


def texture_section(known: Sequence[tuple[DemoPerson, Person]], folder: Path) -> Section:
    """Every person in the top of the next one."""
    from pgen.data.formats.images import write_png

    figures = []
    for number, (someone, person) in enumerate(known, start=1):
        giver = number % len(known)
        result = person.transfer_texture(known[giver][1])
        name = write_png(folder / f"person{number}_dressed.png", result.image).name
        figures.append(figure(name, f"{someone.name} in the top of {known[giver][0].name}"))
    return Section(
        "Someone else's clothes",
        "The top of another photo, painted into this person's pose. Light and folds are those of this photo, and all "
        "pixels but the top's stay exactly what they were: pgen texture-transfer --clothes A --person B.",
        side_by_side(figures),
    )


def edits_section(known: tuple[DemoPerson, Person], folder: Path) -> Section:
    """The first person after each of `EDITS`."""
    from pgen.data.formats.images import write_png

    someone, person = known
    figures = [figure("person1_source.png", f"{someone.name}: the source photo")]
    for edits in EDITS:
        result = person.manipulate(None, **edits)
        name = write_png(folder / f"person1_{'_'.join(edits)}.png", result.image).name
        figures.append(figure(name, result.target))
    return Section(
        "Another layout",
        "The parsing map is edited by name, and what has changed is painted anew: pgen manipulate PHOTO --edit "
        "sleeves=long. With --save-parsing and --parsing the map can be painted by hand.",
        side_by_side(figures),
    )
