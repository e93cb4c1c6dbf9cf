"""Rendered people to begin with, whose poses and parsing maps are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pgen.data.formats.images import write_image
from pgen.data.formats.parsing import write_parsing
from pgen.data.formats.pose_json import write_pose_json
from pgen.studio.requests import PhotoFiles

# Height and width, and people whom the bundled networks have not seen: seed, and number by name.
_SIZE, _SEED = (512, 384), 20_260
_PEOPLE = {"stripes": 2, "dots": 8, "plaid": 0, "lilac": 4, "white": 9}


def render_examples(folder: Path) -> dict[str, PhotoFiles]:
    """Photos of standing people with the files that belong to them, written to ``folder``, by name."""
    from pgen.synthetic.body_pose import BodyPose
    from pgen.synthetic.camera import Framing
    from pgen.synthetic.dataset import synthetic_person, synthetic_shot
    from pgen.synthetic.render import render

    framing = Framing("full", 0.04, 0.04, 0.0, 0.0, 4.0, 0.25, False)
    examples = {}
    for name, number in _PEOPLE.items():
        shot = replace(synthetic_shot(_SEED, number, 0), framing=framing, body_pose=BodyPose(yaw=0.12))
        rendering = render(synthetic_person(_SEED, number), shot, _SIZE)
        examples[name] = PhotoFiles(
            write_image(folder / f"{name}.jpg", rendering.image),
            write_pose_json(folder / f"{name}.json", rendering.pose, _SIZE),
            write_parsing(folder / f"{name}_parsing.png", rendering.parsing),
        )
    return examples
