"""The door `python -m gaokerena`, as a program would use it: exit codes, last lines, errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gaokerena.answers import Usage
from gaokerena.cli import app
from gaokerena.engines.base import EngineError, Request, Text
from gaokerena.engines.echo import EchoEngine
from gaokerena.engines.generations import Generations, record
from gaokerena.engines.local import LocalEngine
from gaokerena.presets import load_preset
from gaokerena.prompts import messages
from gaokerena.questions import Question
from gaokerena.settings import load_settings
from gaokerena.transcripts import read as read_transcripts
from tests.real_data import data_folder
from tests.tiny import make_tiny

OPTIONS = ["--option", "عصب رادیال", "--option", "عصب اولنار", "--option", "عصب مدین", "--option", "عصب آگزیلاری"]


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(tmp_path)
    if not request.node.get_closest_marker("data"):
        monkeypatch.delenv("GAOKERENA_DATA", raising=False)


def door(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_the_last_line_is_one_object_with_both_answers() -> None:
    result = door("ask", "تب دارم چه کنم؟", "--preset", "echo", "--seed", "4", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout.splitlines()[-1])
    assert list(found) == ["question", "preset", "answers"]
    assert found["question"] == "تب دارم چه کنم؟"
    straight, cot = found["answers"]
    assert set(straight) == {
        "model", "prompting", "text", "reasoning", "steps", "conclusion", "choice", "finish_reason", "usage", "seconds",
        "revision",
    }  # fmt: skip
    assert (straight["model"], straight["prompting"], straight["reasoning"]) == ("v", "straight", "")
    assert (cot["model"], cot["prompting"], cot["finish_reason"]) == ("r", "cot", "stop")
    assert len(cot["steps"]) == 2
    assert cot["text"] == cot["reasoning"] + cot["conclusion"]


def test_one_model_alone_and_for_people_to_read() -> None:
    result = door("ask", "تب دارم", "--preset", "echo", "--model", "r", *OPTIONS)
    assert result.exit_code == 0
    assert "پژواک R" in result.stdout
    assert "پژواک V" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["   ", "--preset", "echo"], "The question is empty"),
        (["ا" * 5000, "--preset", "echo"], "more than the 4000"),
        (["کدام؟", "--preset", "echo", "--option", "الف"], "needs four options and 1 are filled"),
        (["کدام؟", "--preset", "echo", "--model", "x"], "no model 'x' in the preset echo; there are v, r"),
        (["کدام؟", "--preset", "endpoint"], "needs [endpoints.v] and [endpoints.r] in gaokerena.toml"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_two(arguments: list[str], says: str) -> None:
    result = door("ask", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_setting_stops_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_COLOUR", "green")
    result = door("ask", "تب دارم")
    assert result.exit_code == 2
    assert "GAOKERENA_COLOUR" in result.stderr


@pytest.mark.parametrize(
    ("content", "says"), [(None, "Is a directory"), ("{}\n", "cache.jsonl:1: not a generation; delete that line")]
)
def test_a_cache_that_cannot_be_used_is_one_line_and_the_models_are_let_go(
    monkeypatch: pytest.MonkeyPatch, content: str | None, says: str
) -> None:
    closed: list[EchoEngine] = []
    monkeypatch.setattr(EchoEngine, "close", lambda engine: closed.append(engine))
    monkeypatch.setenv("GAOKERENA_CACHE", "cache.jsonl")
    Path("cache.jsonl").write_text(content) if content else Path("cache.jsonl").mkdir()
    result = door("ask", "تب دارم", "--preset", "echo")
    assert (result.exit_code, len(closed)) == (2, 1)
    assert len(result.stderr.splitlines()) == 1
    assert "the cache cache.jsonl cannot be used" in result.stderr
    assert says in result.stderr


def test_the_longest_question_is_a_setting_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_MAX_QUESTION_CHARS", "100")
    result = door("ask", "ا" * 101, "--preset", "echo")
    assert result.exit_code == 2
    assert "more than the 100 that are accepted" in result.stderr
    monkeypatch.setenv("GAOKERENA_MAX_QUESTION_CHARS", "6000")
    assert door("ask", "ا" * 5000, "--preset", "echo").exit_code == 0


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_PRESET", "recorded")
    result = door("ask", "تب دارم", "--preset", "echo", "--json")
    assert json.loads(result.stdout.splitlines()[-1])["preset"] == "echo"


def test_a_model_folder_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_BASE", "./gone")
    result = door("ask", "تب دارم", "--preset", "mini")
    assert result.exit_code == 2
    assert "no base model at ./gone" in result.stderr


def test_a_local_pair_answers_and_a_cache_keeps_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_tiny(tmp_path / "tiny", length=512)
    monkeypatch.setenv("GAOKERENA_BASE", str(folder / "base"))
    monkeypatch.setenv("GAOKERENA_ADAPTERS", json.dumps({name: str(folder / name) for name in "vr"}))
    monkeypatch.setenv("GAOKERENA_CACHE", str(tmp_path / "made.jsonl"))
    first = json.loads(door("ask", "تب دارم", "--json").stdout.splitlines()[-1])
    assert [answer["usage"]["completion_tokens"] > 0 for answer in first["answers"]] == [True, True]
    made = (tmp_path / "made.jsonl").read_bytes()
    assert len(made.splitlines()) == 2
    monkeypatch.setattr(LocalEngine, "stream", None)  # from now on nothing can be computed
    again = json.loads(door("ask", "تب دارم", "--json").stdout.splitlines()[-1])
    assert [answer["text"] for answer in again["answers"]] == [answer["text"] for answer in first["answers"]]
    assert (tmp_path / "made.jsonl").read_bytes() == made


def test_help_shows_an_example_of_each_command() -> None:
    assert 'python -m gaokerena ask "' in door("ask", "--help").stdout
    assert "python -m gaokerena settings" in door("settings", "--help").stdout


def test_the_settings_in_force() -> None:
    assert "preset = mini" in door("settings").stdout


def test_the_endpoint_preset_asks_r_for_its_chain_of_thought() -> None:
    Path("gaokerena.toml").write_text(
        'preset = "endpoint"\n[endpoints.v]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "gaokerena-v1.0"\n'
        '[endpoints.r]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "gaokerena-r1.0"\n',
        "utf-8",
    )
    preset = load_preset(load_settings())
    assert {name: model.prompting for name, model in preset.models.items()} == {"v": "straight", "r": "cot"}
    preset.engine.close()


def test_a_cache_knows_the_weights_of_a_served_model_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_CACHE", "cache.jsonl")
    Path("gaokerena.toml").write_text(
        'preset = "endpoint"\n[endpoints.v]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\nrevision = "v-1.0"\n'
        '[endpoints.r]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n',
        "utf-8",
    )
    preset = load_preset(load_settings())
    request = Request("v", messages(Question(text="تب دارم"), "straight"), sampling=preset.models["v"].sampling)
    Generations(Path("cache.jsonl")).add(record(request, "", "از انبار", Usage(), "stop", "v-1.0"))
    assert preset.revisions == {"v": "v-1.0"}
    assert (0, Text("از انبار")) in list(preset.engine.stream([request]))
    preset.engine.close()


@pytest.mark.data
def test_recorded_answers_of_the_real_pair_to_an_exam_question(monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(iter(read_transcripts(data_folder() / "transcripts.parquet")))
    monkeypatch.setenv("GAOKERENA_DATA", str(data_folder()))
    options = [part for letter in "abcd" for part in ("--option", getattr(row, f"option_{letter}"))]
    result = door("ask", row.question, *options, "--preset", "recorded", "--json")
    straight, cot = json.loads(result.stdout.splitlines()[-1])["answers"]
    assert straight["choice"]
    assert cot["reasoning"]
    assert result.exit_code == 0


def test_recorded_says_that_it_does_not_use_the_cache(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GAOKERENA_CACHE", "cache.jsonl")
    door("ask", "تب دارم", "--preset", "recorded")
    assert "the cache cache.jsonl is not used" in caplog.text
    assert not Path("cache.jsonl").exists()


def test_recorded_without_data_says_so() -> None:
    assert "GAOKERENA_DATA is not set" in door("ask", "تب دارم", "--preset", "recorded").stderr


def test_the_real_pair_without_a_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EngineError, match=r"CohereLabs/aya-expanse-8b .*give its folder"):
        load_preset(load_settings(preset="gaokerena"))
