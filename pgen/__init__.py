"""Put a person into another pose, by unsupervised person image generation.

Load the networks, show them a person, and make pictures::

    import pgen

    predictor = pgen.load()
    person = predictor.person("me.jpg")
    predictor.generate(person, "walk").save("walking.png")

`prepare` makes a data set into one file, `train` trains networks on it, and `evaluate` scores them, as the commands of
the same names do. What the user can mend is raised as `InputError`, in one line that says how.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pgen.version import VERSION

if TYPE_CHECKING:
    from pgen.errors import InputError as InputError
    from pgen.errors import PgenError as PgenError
    from pgen.evaluation.run import evaluate as evaluate
    from pgen.inference.person import Person as Person
    from pgen.inference.predictor import Predictor as Predictor
    from pgen.inference.predictor import load as load
    from pgen.inference.result import Result as Result
    from pgen.preparation import prepare as prepare
    from pgen.training.build import train as train

__version__ = VERSION

# Imported when they are first asked for, so that the command line answers at once.
_HOMES = {
    "InputError": "pgen.errors",
    "Person": "pgen.inference.person",
    "PgenError": "pgen.errors",
    "Predictor": "pgen.inference.predictor",
    "Result": "pgen.inference.result",
    "evaluate": "pgen.evaluation.run",
    "load": "pgen.inference.predictor",
    "prepare": "pgen.preparation",
    "train": "pgen.training.build",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
