"""Put a person into another pose.

::

    import pgen

    model = pgen.load()
    person = model.person("a.png", pose="poses.csv", parsing="a.npy")
    person.generate("poses.csv:b.png").save("out.png")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgen.inference.predictor import load as load

__all__ = ["load"]


def __getattr__(name: str) -> object:
    # torch is imported when it is first needed, so that the command line answers at once.
    if name == "load":
        from pgen.inference.predictor import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
