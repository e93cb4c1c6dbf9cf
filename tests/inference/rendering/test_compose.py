from __future__ import annotations

import numpy as np

from pgen.inference.rendering.compose import find_main_parts


def test_parts_that_hang_with_nothing_have_to_be_large_and_shown() -> None:
    figure = np.zeros((60, 60), bool)
    body, shown_leg, painted_leg, speck = ((slice(5, 40), slice(10, 50)), *(
        (slice(45, 45 + height), slice(left, left + height)) for height, left in ((12, 5), (12, 25), (3, 45))
    ))  # fmt: skip
    for part in (body, shown_leg, painted_leg, speck):
        figure[part] = True
    is_shown = np.zeros_like(figure)
    is_shown[shown_leg] = is_shown[speck] = True
    kept = find_main_parts(figure, is_shown)
    assert kept[body].all()
    assert kept[shown_leg].all()
    assert not kept[painted_leg].any()
    assert not kept[speck].any()
    assert not kept[~figure].any()
