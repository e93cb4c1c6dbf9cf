"""Values by dotted paths, ``semantic.schedule.lr``: read, checked, and put into nested dataclasses."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from math import inf
from typing import Any, NamedTuple, get_type_hints

from pgen.errors import InputError
from pgen.models.registry import default_config, find_role


class Given(NamedTuple):
    """A value, and where it comes from."""

    value: Any
    where: str  #: for messages
    option: str  #: the parameter that it comes from: "preset", "recipe" or "settings"

    def refuse(self, message: str) -> InputError:
        return InputError(f"{self.where}: {message}", option=self.option)


def suggest(name: str, names: Iterable[str], path: str = "") -> str:
    """The nearest of ``names`` below ``path``, or all of them, for a message."""
    near = get_close_matches(name, names, n=1)
    return f"did you mean {path}{near[0]}?" if near else f"there are {', '.join(path + one for one in names)}"


def parse_setting(setting: str) -> dict[str, Any]:
    """``"a.b=3"`` → ``{"a": {"b": 3}}``; a value that is none of TOML's is text. Raises InputError."""
    key, equals, value = setting.partition("=")
    if not equals:
        reason = "write it as key=value, for example appearance.schedule.steps=100"
        raise InputError(f"{setting}: {reason}", option="settings")
    for text in (f"{key} = {value}", f'{key} = "{value}"'):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
    raise InputError(f"{setting}: not a key and a value", option="settings")


def check_limits(config: Any, *limits: tuple[str, float, float]) -> None:
    """Raises ValueError for a field, of several names, below the least or above the most that it may be."""
    for names, least, most in limits:
        for name in names.split():
            if not (least <= getattr(config, name) <= most and getattr(config, name) < inf):
                open_ended = f"at least {least}" if least else "0 or more"
                words = open_ended if most == inf else f"from {least} to {most}"
                raise ValueError(f"{name} is {words}, not {getattr(config, name)}")


def flatten(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values by their dotted paths."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def replace_fields(config: Any, given: Mapping[str, Given], path: str = "") -> Any:
    """``config``, a dataclass or a dict of numbers, with the values that are given for paths below ``path``.

    Raises:
        InputError: an unknown path (with the nearest there is), another type, or a value beyond its limits.
    """
    group = config if isinstance(config, dict) else {one.name: getattr(config, one.name) for one in fields(config)}
    hints = {} if isinstance(config, dict) else get_type_hints(type(config))
    below = {full: one for full, one in given.items() if full.startswith(path)}
    changes: dict[str, Any] = {}
    for full, one in below.items():
        name, *deeper = full.removeprefix(path).split(".")
        if name not in group:
            raise one.refuse(f"unknown key {path}{name}; {suggest(name, group, path)}")
        current = group[name]
        if not is_dataclass(current) and not isinstance(current, dict):
            changes[name] = _convert(one, hints.get(name, float), full, not deeper)
        elif not deeper:
            first = next(iter(current if isinstance(current, dict) else get_type_hints(type(current))))
            raise one.refuse(f"{full} is a group; set one of its keys, such as {full}.{first}")
        elif name not in changes:
            changes[name] = replace_fields(*_choose_kind(current, given, f"{path}{name}."), f"{path}{name}.")
    if isinstance(config, dict):
        return config | changes
    try:
        return replace(config, **changes)
    except ValueError as error:
        said = [one for one in below.values() if one.option == "settings"] or list(below.values())
        where = ", ".join(dict.fromkeys(one.where for one in said))
        raise said[-1]._replace(where=where).refuse(f"{path.removesuffix('.')}: {error}") from None


def _choose_kind(config: Any, given: Mapping[str, Given], path: str) -> tuple[Any, Mapping[str, Given]]:
    """A network's configuration, or that of the ``kind`` given for it; what presets give goes on if it has that too."""
    kind = given.get(f"{path}kind")
    if kind is None or not hasattr(config, "kind"):
        return config, given
    try:
        other = default_config(find_role(config), kind.value)
    except ValueError as error:
        raise kind.refuse(f"{path.removesuffix('.')}: {error}") from None
    if type(other) is type(config):
        return config, given
    has = {f"{path}{one.name}" for one in fields(other)}
    return other, {full: one for full, one in given.items() if full in has or one.option == "settings"}


def _convert(given: Given, kind: Any, path: str, fits: bool) -> Any:
    """The value as a field of the type ``kind`` takes it, if it ``fits`` at all."""
    value = float(given.value) if kind is float and type(given.value) is int else given.value
    if kind in (int, float, str, bool):
        fits, wanted = fits and type(value) is kind, kind.__name__
    else:
        fits = fits and isinstance(value, list) and all(type(entry) is int for entry in value)
        wanted = "a list of whole numbers"
    if not fits:
        raise given.refuse(f"{path} takes {wanted}, not {value!r}")
    return tuple(value) if isinstance(value, list) else value
