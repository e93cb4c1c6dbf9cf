"""Evaluation from Python does what the command does, with the same defaults."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from typer.main import get_command

from pgen.cli import evaluate as command
from pgen.cli.main import build, main
from pgen.cli.options import flag_of
from pgen.errors import InputError
from pgen.evaluation.run import evaluate
from tests.data.examples import write_store
from tests.evaluation.folders import PAIRS, write_list, write_photos, write_results
from tests.inference.tiny import write_weights


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_it_is_the_command_as_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    write_store(Path("s.h5"))
    write_weights(Path("tiny.safetensors"))
    metrics = ("ssim", "l1", "miou")
    report = evaluate(
        "s.h5", Path("tiny.safetensors"), baselines="copy-source", metrics=metrics, offline=True, workers=1
    )
    assert [result.method.name for result in report] == ["tiny", "copy-source"]
    arguments = ["--data", "s.h5", "--weights", "tiny.safetensors", "--baseline", "copy-source"]
    arguments += ["--metrics", ",".join(metrics), "--offline", "--workers", "1", "--json", "--no-cache"]
    assert main(["evaluate", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(report.to_dict()))
    assert report[0].scores[0].name == "ssim-legacy"
    assert "<h2>Scores</h2>" in report.html()
    assert report.draw_examples(1).shape[-1] == 3


def test_defaults_and_names_are_those_of_the_command() -> None:
    options = {option.name: option for option in get_command(build()).commands["evaluate"].params}  # type: ignore[attr-defined]
    defaults = {name: one.default for name, one in inspect.signature(command.run).parameters.items()}
    for name, parameter in inspect.signature(evaluate).parameters.items():
        if name in ("log", "warn", "progress"):
            continue
        assert flag_of(name) in options[name].opts
        assert (defaults[name] or ()) == (parameter.default or ()), name


def test_results_of_another_system_and_what_is_to_be_known() -> None:
    write_photos(Path("true"))
    write_results(Path("results"), "spt")
    next(Path("results").iterdir()).unlink()
    Path("pairs.csv").write_text("from,to\n" + "".join(f"{source},{target}\n" for source, target in PAIRS))
    messages: list[str] = []
    report = evaluate(
        generated="results", targets="true", pairs="pairs.csv", metrics="l1", workers=1, log=messages.append,
        warn=messages.append,
    )  # fmt: skip
    assert len(report[0].pairs) == len(PAIRS) - 1
    assert any("layout spt" in message for message in messages)
    assert any("1 pairs have no result" in message for message in messages)


def test_repeated_pairs_are_scored_once_and_hidden_results_not() -> None:
    write_photos(Path("true"))
    write_results(Path("results"), "pgen")
    whole = evaluate(generated="results", targets="true", metrics="l1", workers=1)
    write_results(Path("results/.thumbnails"), "pgen", PAIRS[:2])
    write_results(Path("results/@eaDir"), "pgen", PAIRS[:1])
    messages: list[str] = []

    def warn(message: str) -> None:
        if "drawn one by one" not in message:  # as is told of every folder of targets
            messages.append(message)

    again = evaluate(generated="results", targets="true", metrics="l1", workers=1, warn=warn)
    assert (again.to_dict(), messages) == (whole.to_dict(), [])
    write_results(Path("results/copies"), "pgen", PAIRS[:2])
    copied = evaluate(generated="results", targets="true", metrics="l1", workers=1, warn=warn)
    assert len(copied[0].pairs) == len(PAIRS)
    assert messages == ["2 pairs are there more than once, and scored once"]
    named_otherwise = (PAIRS[0][0][:-4], PAIRS[0][1])
    write_list(Path("pairs.csv"), [*PAIRS, PAIRS[2], named_otherwise])
    listed = evaluate(generated="results", targets="true", pairs="pairs.csv", metrics="l1", workers=1, warn=warn)
    assert messages[1] == messages[0]
    assert [pair.target for pair in listed[0].pairs] == [f"{target[:-4]}.png" for _, target in PAIRS]


def test_other_weights_in_the_same_file_are_noticed() -> None:
    write_store(Path("s.h5"))
    write_weights(Path("tiny.safetensors"))

    def score() -> float:
        return evaluate("s.h5", "tiny.safetensors", metrics="l1", workers=1)[0].scores[0].value

    before = score()
    Path("tiny.safetensors").unlink()
    write_weights(Path("tiny.safetensors"), seed=1)
    after = score()
    assert after != before
    assert evaluate("s.h5", "tiny.safetensors", metrics="l1", workers=1, no_cache=True)[0].scores[0].value == after


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ({}, "data"),
        ({"targets": "true"}, "targets"),
        ({"data": "s.h5", "maps": "drawn"}, "maps"),
        ({"data": "s.h5", "metrics": ["beauty"]}, "metrics"),
        ({"data": "s.h5", "protocols": "best"}, "protocols"),
        ({"data": "s.h5", "baselines": "magic"}, "baselines"),
        ({"data": "s.h5", "baselines": "copy-source", "limit": -1}, "limit"),
        ({"data": "s.h5", "baselines": "copy-source", "per_person": 0}, "per_person"),
    ],
)
def test_errors_name_the_parameter_to_change(arguments: dict, option: str) -> None:
    write_store(Path("s.h5"))
    with pytest.raises(InputError) as caught:
        evaluate(**arguments)
    assert caught.value.option == option
