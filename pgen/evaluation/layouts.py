"""How the field's systems lay out and name their results: which pair a file belongs to, and where in it the output is.

========================  ==========================  ======================================================
layout                    file                        content
========================  ==========================  ======================================================
patn (PATN, ADGAN)        ``src___tgt_vis.jpg``       source, its pose, target, its pose, output
spt (SPT, Def-GAN)        ``A.jpg_B.jpg.png``         source, target, output
gfla (GFLA, DPTN, PIDM)   ``src_2_tgt_vis.jpg``       output
intrinsic-flow            ``a_b.jpg``                 output
pgen                      ``a__b.png``                output (what pgen itself writes)
plain                     named like the target       output
========================  ==========================  ======================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pgen.data.names import strip_name
from pgen.errors import InputError
from pgen.evaluation.photos import Pair, Photos

Image = NDArray[np.uint8]  # (H, W, 3)

#: Mean difference in gray values up to which a picture is taken for a JPEG copy of another.
_NEARLY_EQUAL = 6.0


@dataclass(frozen=True)
class Layout:
    """A way to lay out results; panels are counted from 0."""

    name: str
    between: str  #: what stands between the names of source and target; "" if only the target's is there
    typical: str  #: a regular expression that file names of this layout, and few others, contain
    ending: str = ""  #: what follows the target's name before the suffix
    panels: int = 1  #: pictures side by side in a file
    output: int = 0  #: the panel with the result
    target: int | None = None  #: the panel with the true photo, if there is one


#: In the order in which they are tried where none is named.
LAYOUTS: Mapping[str, Layout] = {
    one.name: one
    for one in (
        Layout("patn", "___", r"___.+_vis\.", "_vis", panels=5, output=4, target=2),
        Layout("spt", "_", r"\.(jpg|png|jpeg)_.+\.(jpg|png|jpeg)\.(png|jpg)$", panels=3, output=2, target=1),
        Layout("gfla", "_2_", r"_2_.+_vis\.", "_vis"),
        Layout("pgen", "__", r"[^_]__[^_]"),
        Layout("plain", "", r"."),
        Layout("intrinsic-flow", "_", r"_"),
    )
}

#: Other systems that write the same.
_ALIASES = {"adgan": "patn", "def-gan": "spt", "dptn": "gfla", "pidm": "gfla"}


def choose_layout(name: str | None, files: Sequence[str], photos: Photos) -> Layout:
    """The layout called ``name``, else the first that most of ``files`` have. Raises `InputError` if there is none."""
    if name is not None:
        found = LAYOUTS.get(_ALIASES.get(name, name))
        if found is None:
            known = ", ".join([*LAYOUTS, *_ALIASES])
            raise InputError(f"there is no layout {name!r}; choose one of {known}", option="layout")
        return found
    examples = files[:: max(1, len(files) // 100)]
    for layout in LAYOUTS.values():
        fitting = [file for file in examples if re.search(layout.typical, file, re.IGNORECASE)]
        if sum(parse_pair(file, layout, photos) is not None for file in fitting) > len(examples) / 2:
            return layout
    raise InputError(
        f"the names of the results, such as {files[0]}, fit no layout with the photos in {photos.where}; name the "
        f"layout ({', '.join(LAYOUTS)}), or look whether these are the photos",
        option="layout",
    )


def parse_pair(file: str, layout: Layout, photos: Photos) -> Pair | None:
    """Which pair ``file`` belongs to; None if it names no target among ``photos``.

    Names may hold what stands between them: of all places to cut, one where both are photos goes first. Raises
    `InputError` if several remain.
    """
    stem = file[: -len(PurePosixPath(file).suffix)] if layout.name == "spt" else strip_name(file)
    if layout.ending and stem.endswith(layout.ending):
        stem = stem[: -len(layout.ending)]
    if not layout.between:
        target = photos.find(file) or photos.find(stem)
        return None if target is None else Pair(None, target, file)
    folder = PurePosixPath(file).parent
    name = PurePosixPath(stem).name
    found = []
    for match in re.finditer(f"(?={re.escape(layout.between)})", name):
        left, right = name[: match.start()], name[match.start() + len(layout.between) :]
        if left and right:
            target = photos.find(right) or photos.find(str(folder / right))
            if target is not None:
                source = photos.find(left) or photos.find(str(folder / left))
                found.append(Pair(source, target, file, left))
    whole = [one for one in found if one.source is not None] or found
    if len({(one.source, one.target) for one in whole}) > 1:
        raise InputError(
            f"{file} may belong to {whole[0].target} or to {whole[1].target}; give the pairs, or rename it",
            option="pairs",
        )
    return whole[0] if whole else None


def split_panels(image: Image, layout: Layout) -> list[Image]:
    """The panels side by side in ``image``. Raises `InputError` if its width cannot be shared out evenly."""
    height, width = image.shape[:2]
    if width % layout.panels:
        raise InputError(f"{height}x{width} pixels are no {layout.panels} panels side by side")
    return np.hsplit(image, layout.panels)


def cut_output(image: Image, layout: Layout) -> Image:
    """The output in a result file. Raises `InputError` as `split_panels`."""
    return np.ascontiguousarray(split_panels(image, layout)[layout.output])


def find_true_panel(image: Image, target: Image, layout: Layout) -> int | None:
    """The panel of ``image`` that is the true photo ``target`` but for compression; None if none is.

    Panels of another size than the target are not looked at.
    """
    panels = [(k, panel) for k, panel in enumerate(split_panels(image, layout)) if panel.shape == target.shape]
    off = {k: float(np.abs(panel.astype(np.int16) - target).mean()) for k, panel in panels}
    return min((k for k in off if off[k] < _NEARLY_EQUAL), key=off.__getitem__, default=None)
