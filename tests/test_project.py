"""What the READMEs promise about the project itself."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pgen.cli.main import COMMANDS, build
from pgen.training.config import load_preset

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("assets/*.md"), *ROOT.glob("pgen/**/*.md")])


def list_code(page: Path, language: str) -> list[str]:
    """The blocks of code in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def list_commands() -> Iterator[tuple[Path, list[str]]]:
    """Every line of a shell block that calls pgen, split as a shell does, from the command's name on."""
    for page in PAGES:
        for block in list_code(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                starts = [index for index, word in enumerate(words) if word == "pgen" or word.endswith("/pgen")]
                if starts and words[starts[0] + 1] in COMMANDS:
                    yield page, words[starts[0] + 1 :]


def anchors_of(page: Path) -> set[str]:
    """What a link may name behind the #: headings in lower case, with hyphens for spaces, without punctuation."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for line in (ROOT / ".ci/run").read_text("utf-8").splitlines() if "pytest" in line]
    assert len(commands) == 1
    assert f"```sh\n{commands[0]}\n```" in README


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    broken = []
    for link in (link for link in links if "://" not in link):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("pgen/*/README.md")), ids=lambda page: page.parent.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"(?<!\[)`([\w/]+\.(?:py|j2|toml|json|npz|md))`", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists() and not any(page.parent.rglob(name))] == []


def test_every_command_is_in_the_readme() -> None:
    assert [name for name in COMMANDS if f"`pgen {name}`" not in README and f"`{name}`" not in README] == []


def test_options_of_commands_in_the_pages_exist() -> None:
    commands = typer.main.get_command(build()).commands  # type: ignore[attr-defined]
    lines = list(list_commands())
    assert len(lines) > 20
    unknown = []
    for page, (name, *words) in lines:
        options = {flag for option in commands[name].params for flag in (*option.opts, *option.secondary_opts)}
        unknown += [f"{page.relative_to(ROOT)}: {name} {word}" for word in words if is_unknown(word, options)]
    assert unknown == []


def is_unknown(word: str, options: set[str]) -> bool:
    return word.startswith("-") and word.partition("=")[0] not in options


def test_settings_in_the_pages_exist() -> None:
    howto = re.compile(
        r"^## How to add.*?(?=^#+ [A-Z]|\Z)", re.MULTILINE | re.DOTALL
    )  # what is added there is not here
    texts = [howto.sub("", page.read_text("utf-8")) for page in PAGES]
    settings = {found for text in texts for found in re.findall(r"--set ([a-z][\w.]+=[\w.\-]+)", text)}
    assert len(settings) > 5
    warnings: list[str] = []
    for setting in sorted(settings):
        load_preset("synthetic-256", [setting], warn=warnings.append)
    assert warnings == []


def test_every_way_to_add_something_is_tested() -> None:
    headings = {found for page in PAGES for found in re.findall(r"^## (How to add .+)$", page.read_text("utf-8"), re.M)}
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_add_*.py"))
    assert len(headings) >= 6
    assert [heading for heading in headings if f'"{heading}"' not in tests] == []


def test_python_in_the_pages_can_be_read() -> None:
    blocks = [block for page in PAGES for block in list_code(page, "python")]
    assert blocks
    for block in blocks:
        ast.parse(re.sub(r'^(".*"?: .*,)$', r"{\1}", block, flags=re.MULTILINE))  # entries of registries


def test_the_package_takes_its_files_along() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["pgen"]
    files = [path for path in ROOT.glob("pgen/**/*") if path.is_file() and path.suffix not in (".py", ".pyc", ".md")]
    assert files
    assert [file for file in files if not any(file.match(pattern) for pattern in patterns)] == []


def test_bundled_data_and_weights_stay_small() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 30e6
