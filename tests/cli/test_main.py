from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pgen.cli.main import COMMANDS, main


def pgen(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = "import sys\nfrom pgen.cli.main import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=folder, timeout=60
    )


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_names_every_command(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "--debug" in out
    for name in COMMANDS:
        assert f"\n  {name} " in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: pgen {name}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pgen {project['version']}\n"


@pytest.mark.parametrize("arguments", ["--help", "--version", "prepare --help", "inspect --help"])
def test_help_and_version_import_nothing_heavy(arguments: str) -> None:
    program = (
        "import sys\nfrom pgen.cli.main import main\ncode = main(sys.argv[1:])\n"
        "heavy = {'torch', 'numpy', 'h5py', 'PIL', 'scipy', 'skimage', 'rich'} & sys.modules.keys()\n"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    result = subprocess.run([sys.executable, "-c", program, *arguments.split()], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["inspcet"], "error: No such command 'inspcet'"),
        (["inspect"], "error: Missing argument 'PATH'; see pgen inspect --help"),
        (["inspect", "--no-such"], "error: No such option: --no-such"),
        (["inspect", "x", "--count", "many"], "error: Invalid value for '--count'"),
        (["inspect", "x", "--count", "0"], "error: Invalid value for '--count'"),
        (["inspect", "a", "b"], "error: Got unexpected extra argument"),
        (["prepare"], "error: Missing option '--dataset'"),
        (["prepare", "--dataset", "none"], "error: there is no data set 'none'"),
        (["inspect", "no/such/file"], "error: no/such/file does not exist"),
    ],
)
def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--debug", "inspect", "gone"], ["inspect", "--debug", "gone"], ["inspect", "gone", "--debug"]]
)
def test_debug_may_stand_anywhere(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("error: gone does not exist")


def test_debug_may_be_the_name_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--", "--debug"]) == 2
    assert capsys.readouterr().err.startswith("error: --debug does not exist")


def test_exit_code_reaches_the_shell(tmp_path: Path) -> None:
    result = pgen("inspect", "gone", folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: gone does not exist")


def test_head_of_a_long_output_is_no_error(tmp_path: Path) -> None:
    program = f"{sys.executable} -m pgen.cli.main --help | head -c 1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert result.stderr == ""


@pytest.mark.parametrize("where", [["--threads", "3", "inspect", "gone"], ["inspect", "gone", "--threads=3"]])
def test_threads_may_stand_anywhere(monkeypatch: pytest.MonkeyPatch, where: list[str]) -> None:
    counts: list[int] = []
    monkeypatch.setattr("pgen.cli.main.set_thread_count", counts.append)
    assert main(where) == 2
    assert counts == [3]


@pytest.mark.parametrize("count", ["0", "-1", "many", "100000000000"])
def test_absurd_numbers_of_threads_are_refused(capsys: pytest.CaptureFixture[str], count: str) -> None:
    assert main(["inspect", "gone", "--threads", count]) == 2
    assert f"--threads '{count}' is no number of threads" in capsys.readouterr().err


def test_help_cuts_no_sentence_and_names_no_types(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        assert not re.findall(r"\b(TEXT|INTEGER|FLOAT|FILENAME|DIRECTORY)\b", capsys.readouterr().out), command
