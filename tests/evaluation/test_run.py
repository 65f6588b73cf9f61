"""`evaluate run` on the preset echo: the rows, seeds, defaults, refusals, going on, failures, the summary."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gaokerena.engines.base import Sampling
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.evaluation import live
from gaokerena.evaluation.run import DEFAULTS, Plan, Recorded, samples_of, sampling_of, seed_of
from gaokerena.evaluation.run_rows import Rows, RunError
from gaokerena.evaluation.suites import load_suite
from gaokerena.presets import ModelInfo, Preset
from gaokerena.prompts import user_text
from gaokerena.questions import Prompting
from gaokerena.transcripts import read
from tests.evaluation.live_cases import ASKED, by_place, deciding, door, lines, write_suite

RIGHT = "نخست داروها را می‌سنجم.\n\nبنابراین پاسخ درست گزینهٔ [B] است."


@pytest.fixture(autouse=True)
def _echo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two echoing models that answer at once: r says [B] after a thought, v repeats what it is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAOKERENA_PRESET", "echo")
    use(monkeypatch)


def use(monkeypatch: pytest.MonkeyPatch, **scripts: Any) -> None:
    given = {
        "r": Script(RIGHT.split("\n\n")[1], thought=RIGHT.split("\n\n")[0] + "\n\n"),
        "v": Script("[C]"),
        **scripts,
    }

    def load(settings: object, only: list[str]) -> Preset:
        models = {name: ModelInfo(name, name, "cot", Sampling()) for name in given}
        return Preset("echo", EchoEngine(given), models, revisions={"r": "echo", "v": "echo"}, samplings=DEFAULTS)

    monkeypatch.setattr(live, "load_preset", load)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write_suite(tmp_path)


def run(suite: Path, *more: object, model: str = "r", prompting: str = "cot", out: str = "out") -> Any:
    return door("run", "--suite", suite, "--model", model, "--prompting", prompting, "--out", out, *more)


def rows(name: str = "drugs.r.cot", out: str = "out") -> list[dict[str, Any]]:
    return lines(Path(out) / "transcripts" / f"{name}.jsonl")


def file(name: str = "drugs.r.cot", out: str = "out") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(out) / "runs" / f"{name}.json").read_text("utf-8"))
    return content


def test_a_run_leaves_transcripts_with_what_made_them(suite: Path) -> None:
    result = run(suite, "--json")
    assert result.exit_code == 0, result.stderr
    transcripts = list(read(Path("out/transcripts/drugs.r.cot.jsonl")))
    assert len(transcripts) == 25
    assert {(row.suite, row.model, row.prompting, row.annotated_choice) for row in transcripts} == {
        ("drugs", "r", "cot", None)
    }
    assert Counter(row.run for row in transcripts) == dict.fromkeys(range(1, 6), 5)
    assert {(row.subject, row.question_index): row.question for row in transcripts} == {
        ("تب" if number % 2 == 0 else "درد", number // 2): text for number, text in enumerate(ASKED)
    }
    first = next(row for row in rows() if (row["subject"], row["question_index"], row["run"]) == ("تب", 0, 1))
    asked = load_suite(suite).items[0].question()
    assert first["prompt"] == user_text(asked, "cot")
    assert (first["response"], first["choice"], first["choice_reason"]) == (RIGHT, "B", "answer")
    assert first["response"][: first["reasoning_chars"]].strip() == "نخست داروها را می‌سنجم."
    assert (first["question_id"], first["seed"]) == (asked.id, seed_of(1, asked.id, 1))
    assert first["sampling"] == {
        "temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0, "max_new_tokens": 1024
    }  # fmt: skip
    assert (first["revision"], first["finish_reason"], first["gold"]) == ("echo", "stop", "B")
    assert set(first) == set(Recorded.model_fields)


def test_the_summary_and_the_file_say_how_it_went(suite: Path) -> None:
    summary = json.loads(run(suite, "--json", "--limit", 2).stdout)
    assert (summary["answers"], summary["wanted"], summary["complete"]) == (10, 10, True)
    assert summary["finish_reasons"] == {"stop": 10}
    assert summary["answers_per_second"] > 0
    content = file()
    assert content["outcome"]["answers"] == 10
    assert content["deciding"] | {"suite_sha256": "", "prompts": "", "versions": ""} == {
        "suite": "drugs", "suite_sha256": "", "questions": 2, "model": "r", "prompting": "cot", "samples": 5,
        "sampling": {
            "temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0, "max_new_tokens": 1024
        }, "seed": 1, "prompts": "", "preset": "echo", "revision": "echo", "versions": "",
    }  # fmt: skip
    assert "accuracy" not in json.dumps(summary)


def test_progress_never_tells_what_is_right_unless_asked(suite: Path) -> None:
    assert "%" not in run(suite).stderr
    assert "20.0 % of 25 right" in run(suite, "--show-accuracy", out="shown").stderr


def test_straight_is_greedy_and_once(suite: Path) -> None:
    assert run(suite, model="v", prompting="straight").exit_code == 0
    made = rows("drugs.v.straight")
    assert len(made) == 5
    assert {(row["run"], row["sampling"]["temperature"], row["choice"]) for row in made} == {(1, 0.0, "C")}


def test_several_greedy_samples_are_refused(suite: Path) -> None:
    result = run(suite, "--samples", 5, prompting="straight", model="v")
    assert result.exit_code == 2
    assert "5 samples at temperature 0 are 5 times the same answer; give --temperature above 0" in result.stderr
    assert run(suite, "--samples", 2, "--temperature", 0.5, prompting="straight", model="v").exit_code == 0
    assert len(rows("drugs.v.straight")) == 10


@pytest.mark.parametrize(
    ("prompting", "temperature", "samples"),
    [("straight", None, 1), ("cot", None, 5), ("cot", 0.0, 1), ("straight", 0.3, 1)],
)
def test_how_many_samples_where_nothing_is_said(prompting: Prompting, temperature: float | None, samples: int) -> None:
    sampling = sampling_of(DEFAULTS, prompting, temperature, None)
    assert samples_of(None, prompting, sampling) == samples
    with pytest.raises(RunError, match="3 samples at temperature 0"):
        samples_of(3, prompting, Sampling(temperature=0.0))


def test_what_is_asked_for_replaces_the_presets_sampling() -> None:
    own: dict[Prompting, Sampling] = {"cot": Sampling(0.7, 0.9, 0, 1.2, 448), "straight": Sampling()}
    assert sampling_of(own, "cot", 0.0, None) == Sampling(0.0, 0.9, 0, 1.2, 448)
    assert sampling_of(own, "cot", None, 9) == Sampling(0.7, 0.9, 0, 1.2, 9)


def test_seeds_follow_from_run_question_and_sample_alone() -> None:
    expected = int.from_bytes(hashlib.sha256(b"1:abc:2").digest()[:4], "big") % 2**31
    assert seed_of(1, "abc", 2) == expected
    seeds = {seed_of(seed, name, run) for seed in (1, 2) for name in ("abc", "abd") for run in range(1, 6)}
    assert len(seeds) == 20


def test_samples_of_a_question_differ_in_seed_and_models_share_them(suite: Path) -> None:
    run(suite)
    run(suite, "--samples", 5, "--temperature", 1.0, model="v", prompting="straight")
    of_r = {(row["question_id"], row["run"]): row["seed"] for row in rows()}
    assert len(set(of_r.values())) == 25
    assert of_r == {(row["question_id"], row["run"]): row["seed"] for row in rows("drugs.v.straight")}


def test_a_finished_run_is_left_as_it_is(suite: Path) -> None:
    run(suite)
    before = Path("out/transcripts/drugs.r.cot.jsonl").read_bytes()
    again = run(suite)
    assert again.exit_code == 0
    assert "25 of 25 answers are there, going on" in again.stderr
    assert Path("out/transcripts/drugs.r.cot.jsonl").read_bytes() == before
    assert (file()["starts"], file()["outcome"]["finish_reasons"]) == (2, {"stop": 25})


@pytest.mark.parametrize("kept", [0, 1, 7, 24])
def test_what_is_missing_is_added_and_a_torn_line_cut_away(suite: Path, kept: int) -> None:
    run(suite)
    path = Path("out/transcripts/drugs.r.cot.jsonl")
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:kept]) + whole[kept][:40])
    again = run(suite)
    assert again.exit_code == 0, again.stderr
    assert "cut away 40 bytes" in again.stderr
    assert path.read_bytes().startswith(b"".join(whole[:kept])), "what was there has changed"
    assert by_place(rows()) == by_place([json.loads(line) for line in whole])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--seed", 2], "seed is 2 now and was 1"),
        (["--samples", 3], "samples is 3 now and was 5"),
        (["--temperature", 0.5], "sampling.temperature is 0.5 now and was 1.0"),
        (["--max-new-tokens", 5], "sampling.max_new_tokens is 5 now and was 1024"),
        (["--limit", 2], "questions is 2 now and was 5"),
    ],
)
def test_other_settings_are_refused_naming_the_value(suite: Path, more: list[object], says: str) -> None:
    run(suite)
    before = Path("out/transcripts/drugs.r.cot.jsonl").read_bytes()
    result = run(suite, *more)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "another --out" in result.stderr
    assert Path("out/transcripts/drugs.r.cot.jsonl").read_bytes() == before


def test_an_edited_question_is_another_suite(suite: Path) -> None:
    run(suite)
    write_suite(suite.parent, [*ASKED[:4], "پرسشی دیگر؟"])
    assert "suite_sha256 is" in run(suite).stderr


def test_a_moved_suite_is_the_same_suite(suite: Path) -> None:
    run(suite)
    moved = suite.rename(suite.with_name("moved.jsonl"))
    assert run(moved).exit_code == 0


def test_other_weights_under_the_same_name_are_refused(suite: Path) -> None:
    run(suite)
    path = Path("out/transcripts/drugs.r.cot.jsonl")
    path.write_bytes(
        b"".join(path.read_bytes().replace(b'"revision":"echo"', b'"revision":"old"').splitlines(True)[:3])
    )
    result = run(suite)
    assert result.exit_code == 2
    assert "the answers so far are by old, and now echo answers; give another --out" in result.stderr


def test_answers_of_two_models_in_one_file_are_refused(suite: Path) -> None:
    run(suite)
    path = Path("out/transcripts/drugs.r.cot.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"revision":"echo"', b'"revision":"old"', 1))
    assert (run(suite).exit_code, "the answers so far are by old" in run(suite).stderr) == (2, True)


@pytest.mark.parametrize(
    ("edit", "says"), [((b'"run":2', b'"run":9'), "none of this run's"), ((b'"run":2', b'"run":1'), "there twice")]
)
def test_rows_that_do_not_belong_are_named(suite: Path, edit: tuple[bytes, bytes], says: str) -> None:
    run(suite)
    path = Path("out/transcripts/drugs.r.cot.jsonl")
    path.write_bytes(path.read_bytes().replace(*edit, 1))
    result = run(suite)
    assert (result.exit_code, says in result.stderr) == (2, True)


def test_a_run_that_is_under_way_is_not_begun_twice(suite: Path) -> None:
    with Rows(Path("out/transcripts/drugs.r.cot.jsonl"), Recorded):
        result = run(suite)
    assert result.exit_code == 2
    assert "another process is writing it" in result.stderr


def test_failures_are_listed_and_the_command_says_how_to_go_on(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(
        monkeypatch,
        r=lambda request: Script("[B]", error="حافظه کم آمد." if ASKED[1] in request.messages[0].content else ""),
    )
    result = run(suite, "--retries", 1)
    assert result.exit_code == 1
    assert "5 answers are missing, 5 failed, the first: حافظه کم آمد." in result.stderr
    assert "run the same command again to go on" in result.stderr
    assert len(rows()) == 20
    assert [(each["subject"], each["question_index"], each["run"]) for each in file()["outcome"]["failed"]] == [
        ("درد", 0, run) for run in range(1, 6)
    ]
    use(monkeypatch)
    assert run(suite).exit_code == 0
    assert (len(rows()), file()["outcome"]["failed"]) == (25, [])


def test_answers_cut_off_at_the_limit_are_kept_and_counted(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play = EchoEngine.stream

    def cut(self: EchoEngine, requests: Any, stop: Any = None) -> Any:
        from dataclasses import replace

        from gaokerena.engines.base import Finished

        for row, event in play(self, requests, stop):
            yield row, replace(event, finish_reason="length") if isinstance(event, Finished) and row == 0 else event

    monkeypatch.setattr(EchoEngine, "stream", cut)
    result = run(suite)
    assert result.exit_code == 0
    assert "2 were cut off at the token limit" in result.stdout
    assert file()["outcome"]["finish_reasons"] == {"length": 2, "stop": 23}


def test_free_questions_have_no_options_no_gold_and_no_choice(tmp_path: Path) -> None:
    path = tmp_path / "free.jsonl"
    asked = [{"Question": text, "Answer": "پاسخ پزشک", "Source": "انجمن", "split": "test"} for text in ASKED[:2]]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in asked), "utf-8")
    result = run(path, prompting="straight")
    assert result.exit_code == 0, result.stderr
    made = list(read(Path("out/transcripts/mf3qa.r.straight.jsonl")))
    assert [(row.options, row.gold) for row in made] == [((), None)] * 2
    assert {row["choice"] for row in rows("mf3qa.r.straight")} == {None}


def test_what_cannot_be_asked_is_listed_and_left_out(tmp_path: Path) -> None:
    write_suite(tmp_path, [*ASKED[:2], " "])
    assert "skipped: 1" in run(tmp_path / "drugs.jsonl").stdout
    assert file()["about"]["skipped"] == [{"subject": "تب", "question_index": 1, "reason": "the text is empty"}]
    assert len(rows()) == 10


def test_a_suite_with_nothing_to_ask_and_one_that_is_not_there(tmp_path: Path) -> None:
    write_suite(tmp_path, [" "])
    nothing = run(tmp_path / "drugs.jsonl")
    assert (nothing.exit_code, "has no question that can be asked" in nothing.stderr) == (2, True)
    assert "no suite 'no-such'" in run(Path("no-such")).stderr


def test_recorded_answers_are_not_asked_for_afresh(suite: Path) -> None:
    result = run(suite, "--preset", "recorded")
    assert (result.exit_code, "evaluate transcripts FILE" in result.stderr) == (2, True)


def test_a_wrong_batch_is_refused(suite: Path) -> None:
    assert "a batch of 0 answers; give --batch 1 or more" in run(suite, "--batch", 0).stderr


def test_ctrl_c_keeps_what_is_there(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Rows.append

    def interrupted(self: Rows[Any], row: Any) -> None:
        append(self, row)
        if len(rows()) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Rows, "append", interrupted)
    result = run(suite)
    assert (result.exit_code, "the same command goes on" in result.stderr) == (130, True)
    kept = rows()
    monkeypatch.setattr(Rows, "append", append)
    assert run(suite).exit_code == 0
    assert (len(rows()), rows()[:4]) == (25, kept)


def test_samples_of_a_question_go_out_together_and_prompts_may_be_scrubbed(suite: Path) -> None:
    write_suite(suite.parent, ["شمارهٔ من ۰۹۱۲۳۴۵۶۷۸۹ است. کدام دارو؟", *ASKED])
    plan = Plan(load_suite(suite), "r", "cot", Sampling(1.0), 5, 1, scrubbed=True)
    assert [len(block) for block in plan.blocks(16)] == [15, 15]
    assert [len(block) for block in plan.blocks(3)] == [3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2]
    assert "۰۹۱۲۳۴۵۶۷۸۹" not in plan.tasks[0][0].request.messages[0].content
    assert deciding({"at": 1, "seconds": 2, "run": 3}) == {"run": 3}
