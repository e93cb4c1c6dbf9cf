"""What README promises about the project itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for line in (ROOT / ".ci/run").read_text("utf-8").splitlines() if "pytest" in line]
    assert len(commands) == 1
    assert f"```sh\n{commands[0]}\n```" in README


def test_pictures_and_files_that_the_readme_names_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert any(link.startswith("assets/") for link in links)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_is_in_the_readme_or_the_changelog() -> None:
    from pgen.cli.main import COMMANDS

    told = README + (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"`pgen {name}" not in told and f"pgen {name}" not in told] == []


def test_bundled_data_and_weights_stay_small() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 30e6
