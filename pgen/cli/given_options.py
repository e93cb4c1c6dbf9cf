"""Which options the user has given, so that none of them does nothing without a word."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from pgen.errors import InputError

#: Parameters of the command that runs, as the user has given them, and their flags.
_given: dict[str, str] = {}


class NotingCommand(TyperCommand):
    """A command that notes which of its parameters are on the command line."""

    def invoke(self, ctx: Any) -> Any:
        _given.clear()
        for parameter in self.params:
            source = ctx.get_parameter_source(parameter.name)
            if parameter.name is not None and source is not None and source.name == "COMMANDLINE":
                is_off = ctx.params.get(parameter.name) is False and parameter.secondary_opts
                _given[parameter.name] = (parameter.secondary_opts if is_off else parameter.opts)[0]
        return super().invoke(ctx)


def is_given(name: str) -> bool:
    """Whether the user has given the parameter ``name`` of the command that runs."""
    return name in _given


def refuse_idle(name: str, is_idle: bool, why: str) -> None:
    """Refuse the parameter ``name`` of the command, if it is given, and would do nothing: ``why`` says so."""
    if is_idle and name in _given:
        raise InputError(f"{_given[name]} would do nothing: {why}; leave it out")
