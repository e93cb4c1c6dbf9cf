"""What a registry names, imported when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

#: A class or function, or where it lives: "module:name".
Place = str | Callable[..., Any]


def load_object(place: Place) -> Callable[..., Any]:
    """The class or function at ``place``."""
    if not isinstance(place, str):
        return place
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
