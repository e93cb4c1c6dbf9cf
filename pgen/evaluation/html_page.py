"""Pages of HTML, filled in by Jinja2: one file that needs nothing but the pictures beside it.

`templates/base.html.j2` is the frame that every page extends, `templates/parts.html.j2` has figures and tables.
"""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from pgen.version import VERSION


def render_page(template: str, package: str = "pgen.evaluation", **values: object) -> str:
    """The page ``template`` in the folder ``templates`` of ``package``, filled in with ``values`` (escaped)."""
    folders = [PackageLoader(name) for name in dict.fromkeys((package, "pgen.evaluation"))]
    environment = Environment(
        loader=ChoiceLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(version=VERSION, **values)
