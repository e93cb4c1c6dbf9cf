"""How the package is built: which room may import which, and how large its files are. Reads sources, imports nothing.

The rooms from the lowest to the highest are `STOREYS`; a file imports from its own storey and those below.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "pgen"

#: Rooms, lowest first; rooms of one line may import each other, as long as no circle of files comes of it.
STOREYS = (
    ("errors", "version"),
    ("runtime",),
    ("body", "synthetic"),
    ("models",),
    ("losses",),
    ("data",),
    ("pseudo_labels",),
    ("preparation",),
    ("metrics",),
    ("training",),
    ("inference",),
    ("evaluation",),
    ("studio",),
    ("cli", "__main__"),
    ("tools",),  # scripts that derive the bundled files: they import anything, nothing imports them
)
HEIGHTS = {room: height for height, rooms in enumerate(STOREYS) for room in rooms}

MOST_LINES_OF_A_FILE = 320
MOST_LINES_OF_A_COMMAND = 120
#: Files that may be longer, each with its reason.
LONG_FILES: dict[str, str] = {}

FLAG = re.compile(r"(?<![\w-])--[a-z][\w-]*|(?<!\S)-o\b")
#: Named by the command line alone; the names are those of pgen/cli/main.py.
COMMAND = re.compile(
    r"\bpgen (demo|prepare|inspect|train-\w+|generate|poses|annotate|evaluate|texture-transfer|manipulate|presets"
    r"|studio|import-weights)\b"
)


def room_of(module: str) -> str:
    """``"pgen.body.edits.hair"`` → ``"body"``."""
    return module.split(".")[1]


@cache
def list_modules() -> dict[str, Path]:
    """Every module of the package by its dotted name; a package goes by its folder's."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parse(module: str) -> ast.Module:
    return ast.parse(list_modules()[module].read_text("utf-8"))


def imports_of(module: str) -> Iterator[tuple[str, int]]:
    """What ``module`` imports of the package, and in which line: also inside functions and for type checkers."""
    modules = list_modules()
    for node in ast.walk(parse(module)):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names if name.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports in this package are absolute"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                target = inner if inner in modules else node.module
                if target in modules:
                    yield target, node.lineno


def find_circle(arrows: dict[str, set[str]]) -> list[str]:
    """A circle in the graph, as the names along it, or an empty list."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in sorted(arrows[name]):
            if circle := walk(target, [*trail, name]):
                return circle
        done.add(name)
        return []

    return next((circle for name in arrows if (circle := walk(name, []))), [])


def expect_none(complaints: Iterable[str]) -> None:
    lines = list(complaints)
    assert not lines, "\n".join(["", *lines])


def test_every_room_has_its_storey() -> None:
    assert {room_of(module) for module in list_modules() if module != "pgen"} == HEIGHTS.keys()


def test_the_readme_shows_the_storeys() -> None:
    shown = re.findall(
        r"\(pgen/(\w+)/README\.md\)", (PACKAGE.parent / "README.md").read_text("utf-8").split("## Find")[1]
    )
    assert shown == [room for rooms in STOREYS for room in rooms if (PACKAGE / room).is_dir()]


def test_no_import_leads_upward() -> None:
    upward = [
        f"{module}:{line} imports {target}"
        for module in list_modules()
        if module != "pgen"  # the front door: it shows names of all rooms
        for target, line in imports_of(module)
        if target == "pgen" or HEIGHTS[room_of(target)] > HEIGHTS[room_of(module)]
    ]
    expect_none(upward)


def test_no_circle_of_files() -> None:
    arrows = {module: {target for target, _ in imports_of(module)} - {module} for module in list_modules()}
    assert find_circle(arrows) == []


def test_circles_are_found() -> None:
    assert find_circle({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}) == ["b", "d", "b"]
    assert find_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_only_the_command_line_knows_flags_and_commands() -> None:
    told = [
        f"{module}:{node.lineno}: {found.group()}"
        for module in list_modules()
        if module == "pgen" or room_of(module) not in ("cli", "tools")
        for node in ast.walk(parse(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for found in (*FLAG.finditer(node.value), *COMMAND.finditer(node.value))
    ]
    expect_none(told)


def test_files_are_about_one_thing() -> None:
    lines = {module: len(path.read_text("utf-8").splitlines()) for module, path in list_modules().items()}
    long = {module: count for module, count in lines.items() if count > MOST_LINES_OF_A_FILE}
    expect_none(f"{module}: {count}" for module, count in long.items() if module not in LONG_FILES)
    expect_none(f"{module} is no longer long" for module in LONG_FILES if module not in long)


def test_commands_are_thin() -> None:
    lines = {module: len(path.read_text("utf-8").splitlines()) for module, path in list_modules().items()}
    expect_none(f"{m}: {n}" for m, n in lines.items() if m.startswith("pgen.cli.") and n > MOST_LINES_OF_A_COMMAND)


def test_every_room_says_what_is_in_it() -> None:
    rooms = [path for path in PACKAGE.iterdir() if path.name in HEIGHTS and path.is_dir()]
    expect_none(path.name for path in rooms if not (path / "README.md").is_file())


def test_every_file_is_named_where_its_room_is_described() -> None:
    missing = []
    for readme in PACKAGE.rglob("README.md"):
        named = re.findall(r"`([\w*.]+)`", readme.read_text("utf-8"))
        for path in readme.parent.glob("[!_]*.py"):
            is_command = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").startswith("``pgen")
            if not is_command and not any(fnmatch(path.name, name) for name in named):
                missing.append(f"{readme}: {path.name}")
    expect_none(missing)
