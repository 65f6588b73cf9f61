"""The door `evaluate transcripts`: what it writes, and that every bad file ends in one line and exit status 2."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from gaokerena.cli import app
from gaokerena.evaluation.cli import _pools
from gaokerena.transcripts import SCHEMA, Transcript, write
from tests.evaluation.recorded_cases import ITEMS, rows_of

GOLD = "BBCBDA"
SIGNS = {"r": ["BBBBB", "BBBAA", "CCCDD", "BBAAC", "DDDDD", "AAAAB"],
         "medmobile+x": ["AAAAA", "BBBAA", "DDDCC", "BBAAC", "DDDDA", "BBBBB"]}  # fmt: skip
AGREED = ["B", "B", "C", None, "D", "A"]
SUFFIXES = (".parquet", ".jsonl")


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def answers(path: Path) -> Path:
    write([row for model, signs in SIGNS.items() for row in rows_of(model, "cot", signs, GOLD)], path)
    return path


def verified(path: Path) -> Path:
    rows = [
        {
            "suite": "s", "subject": "گوارش", "question_index": place, "question": ITEMS[place][0], "gold": gold,
            "self_consistent_choice": AGREED[place], "final_choice": AGREED[place] or "B",
        }
        for place, gold in enumerate(GOLD)
    ]  # fmt: skip
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def door(*arguments: object, of: str = "transcripts") -> Result:
    return CliRunner().invoke(app, ["evaluate", of, *map(str, arguments)], catch_exceptions=False)


def refused(result: Result, *said: str) -> str:
    """Exit status 2, nothing on standard output, one line on the other, which holds `said`."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.count("\n") == 1
    for part in said:
        assert part in result.stderr
    return result.stderr


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_evaluated_and_written(tmp_path: Path, suffix: str) -> None:
    path = answers(tmp_path / f"answers{suffix}")
    verifier = verified(tmp_path / f"v{suffix}")
    result = door(path, "--json", "new/folder/out.json", "--verifier", verifier, "--seed", 4)
    assert result.exit_code == 0
    assert "medmobile+x cot" in result.stdout
    found = json.loads((tmp_path / "new/folder/out.json").read_text("utf-8"))
    assert (found["source"]["rows"], found["seed"]) == (60, 4)
    cells = {(one["model"], one["rule"]): one for one in found["cells"] if one["subject"] == "all"}
    assert cells["r", "verifier"]["correct"] == 6
    assert found["extraction"][0]["agreement"] == 100.0
    assert not list((tmp_path / "new/folder").glob(".*"))


def test_both_kinds_of_file_give_the_same_figures(tmp_path: Path) -> None:
    found = []
    for suffix in SUFFIXES:
        assert door(answers(tmp_path / f"answers{suffix}"), "--json", "out.json").exit_code == 0
        report = json.loads(Path("out.json").read_text("utf-8"))
        found.append({name: value for name, value in report.items() if name not in ("at", "command", "source")})
    assert found[0] == found[1]


def test_the_same_file_twice_gives_the_same_json_but_for_the_date(tmp_path: Path) -> None:
    path, texts = answers(tmp_path / "answers.parquet"), []
    for _ in range(2):
        assert door(path, "--json", "out.json").exit_code == 0
        lines = Path("out.json").read_text("utf-8").splitlines()
        texts.append([line for line in lines if not line.startswith(' "at": ')])
    assert texts[0] == texts[1]
    assert len(texts[0]) == len(lines) - 1


def test_the_command_is_named_without_this_machines_folders(tmp_path: Path) -> None:
    path = answers(tmp_path / "answers.parquet")
    words = ["evaluate", "transcripts", str(path), "--json", str(tmp_path / "o.json")]
    result = subprocess.run(
        [sys.executable, "-m", "gaokerena", *words],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True,
    )  # fmt: skip
    assert result.stderr == ""
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert found["command"] == "python -m gaokerena evaluate transcripts …/answers.parquet --json …/o.json"
    assert str(tmp_path) not in json.dumps(found)


def test_free_form_rows_beside_are_counted_and_left_out(tmp_path: Path) -> None:
    free = dict.fromkeys(("option_a", "option_b", "option_c", "option_d"), "") | {"gold": None, "suite": "mf3qa"}
    rows = rows_of("r", "cot", SIGNS["r"], GOLD)
    write([*rows, *(row.model_copy(update=free) for row in rows[:3])], tmp_path / "mixed.jsonl")
    assert door("mixed.jsonl", "--json", "out.json").exit_code == 0
    found = json.loads(Path("out.json").read_text("utf-8"))
    assert found["source"]["unscored"] == {"mf3qa": 3}
    assert {one["suite"] for one in found["cells"]} == {"s"}


def test_disagreements_are_listed(tmp_path: Path) -> None:
    rows = rows_of("r", "cot", SIGNS["r"], GOLD)
    rows[3] = rows[3].model_copy(update={"annotated_choice": "D"})
    write(rows, tmp_path / "answers.jsonl")
    result = door("answers.jsonl", "--disagreements", "lists/wrong.jsonl", "--no-extraction")
    assert (result.exit_code, result.stderr) == (0, "1 disagreements in lists/wrong.jsonl\n")
    (entry,) = map(json.loads, Path("lists/wrong.jsonl").read_text("utf-8").splitlines())
    assert (entry["annotated"], entry["read"], entry["reason"], entry["run"]) == ("D", "B", "answer", 4)


def test_letters_by_the_reader_where_nobody_noted_any(tmp_path: Path) -> None:
    bare = [row.model_copy(update={"annotated_choice": None}) for row in rows_of("r", "cot", SIGNS["r"], GOLD)]
    write(bare, tmp_path / "bare.parquet")
    refused(door("bare.parquet"), "bare.parquet: no row has an annotated_choice; evaluate with --choices extracted")
    assert door("bare.parquet", "--choices", "extracted", "--json", "out.json").exit_code == 0
    found = json.loads(Path("out.json").read_text("utf-8"))
    assert (found["choices"], found["extraction"]) == ("extracted", [])
    assert {one["rule"]: one["correct"] for one in found["cells"]}["sc3of5"] == 5
    told = refused(door("bare.parquet", "--choices", "extracted", "--disagreements", "wrong.jsonl"), "bare.parquet")
    assert "drop --disagreements" in told
    assert not Path("wrong.jsonl").exists()


def test_pools_by_name(tmp_path: Path) -> None:
    path = answers(tmp_path / "answers.parquet")
    assert door(path, "--pool", "r:cot+medmobile+x:cot", "--json", "out.json").exit_code == 0
    found = json.loads(Path("out.json").read_text("utf-8"))
    assert [one["samples"] for one in found["cells"] if one["rule"] == "pooled"] == [10, 10]
    told = refused(door(path, "--pool", "r+aya"), "no answers of aya:cot in suite s; there are medmobile+x:cot, r:cot")
    assert "Traceback" not in told
    refused(door(path, "--pool", "r:loud"), "no answers of r:loud in suite s")


def test_how_a_pool_is_written() -> None:
    assert _pools(None) is None
    assert _pools(["r+v", "r:cot+v:straight"]) == [(("r", "cot"), ("v", "cot")), (("r", "cot"), ("v", "straight"))]
    assert _pools(["a+b:straight+c+d:cot"]) == [(("a+b", "straight"), ("c+d", "cot"))]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = answers(tmp_path / "answers.parquet")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for target in ("folder", "file/out.json"):
        told = refused(door(path, "--json", target), "; name another place")
        assert told.startswith(target.split("/")[0])
        refused(door(path, "--json", target, of="rules"), "; name another place")
    refused(door(path, "--disagreements", "folder"), "folder: Is a directory; name another place")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["answers.parquet", "file", "folder"]


# --- bad files ----------------------------------------------------------------------------------------------------


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def malformed(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff{" * 20)


def unreadable(path: Path) -> None:
    """A file whose bytes the system refuses to hand out, whoever asks."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def column_less(path: Path) -> None:
    rewrite(path, lambda row: {name: value for name, value in row.items() if name != "gold"})


def wrong_letter(path: Path) -> None:
    rewrite(path, lambda row: row | {"gold": "E"})


def wrong_type(path: Path) -> None:
    rewrite(path, lambda row: row | {"question_index": "نخست"})


def rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change every row of a file of either kind, without this project's own writer."""
    if path.suffix == ".jsonl":
        rows = [change(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    else:
        pq.write_table(pa.Table.from_pylist([change(row) for row in pq.read_table(path).to_pylist()]), path)


DAMAGES = (missing, empty, truncated, malformed, unreadable, column_less, wrong_letter, wrong_type)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_bad_transcripts_end_in_one_line(tmp_path: Path, damage: Callable[[Path], None], suffix: str) -> None:
    path = answers(tmp_path / f"answers{suffix}")
    damage(path)
    told = refused(door(path, "--json", "out.json"), str(path))
    assert "; " in told, "the next step"
    assert not Path("out.json").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_bad_verifiers_file_ends_in_one_line(tmp_path: Path, damage: Callable[[Path], None], suffix: str) -> None:
    path, file = answers(tmp_path / "answers.parquet"), verified(tmp_path / f"v{suffix}")
    damage(file)
    told = refused(door(path, "--verifier", file), str(file))
    assert "; " in told, "the next step"


def test_a_bad_verifiers_file_beside_can_be_left_out(tmp_path: Path) -> None:
    path, file = answers(tmp_path / "answers.parquet"), tmp_path / "verifier.parquet"
    empty(file)
    refused(door(path), "verifier.parquet: not a whole file of a verifier")
    assert door(path, "--no-verifier").exit_code == 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_that_contradict_each_other_end_in_one_line(tmp_path: Path, suffix: str) -> None:
    rows = rows_of("r", "cot", ["AB"], "A")
    changes: list[tuple[dict[str, Any], str]] = [
        ({"run": 1}, "run 1 stands twice; keep one of the rows"),
        ({"gold": "C"}, "its runs have different gold letters; keep the right one"),
        ({"question": "چه دارویی برای تب کودک بهتر است؟", "option_a": "آسپرین"}, "its runs ask different questions"),
    ]
    for change, message in changes:
        write([rows[0], rows[1].model_copy(update=change)], tmp_path / f"odd{suffix}")
        refused(door(f"odd{suffix}"), f"odd{suffix}: s, گوارش, question_index 0, r cot: {message}")


def test_free_form_answers_alone_are_sent_to_the_judge(tmp_path: Path) -> None:
    free = dict.fromkeys(("option_a", "option_b", "option_c", "option_d"), "") | {"gold": None}
    rows: list[Transcript] = [row.model_copy(update=free) for row in rows_of("r", "cot", ["A"], "A")]
    write(rows, tmp_path / "free.parquet")
    refused(
        door("free.parquet"),
        "free.parquet: no row can be scored (1 free form); free-form answers are for `evaluate judge`",
    )


def test_tables_without_rows_and_other_kinds_of_file(tmp_path: Path) -> None:
    pq.write_table(SCHEMA.empty_table(), tmp_path / "none.parquet")
    refused(door("none.parquet"), "none.parquet: no rows; fetch or write it again")
    (tmp_path / "rows.csv").write_text("suite,subject\n")
    refused(door("rows.csv"), "rows.csv: transcripts are .parquet or .jsonl, not .csv")
    (tmp_path / "folder").mkdir()
    refused(
        door("folder"), "folder: holds neither transcripts.parquet nor transcripts/*.jsonl; give a transcripts file"
    )


def test_a_seed_below_zero_is_refused(tmp_path: Path) -> None:
    path = answers(tmp_path / "answers.parquet")
    for command in ("transcripts", "rules"):
        result = door(path, "--seed", "-1", of=command)
        assert result.exit_code == 2
        assert "Invalid value for '--seed'" in result.stderr


def test_help_shows_an_example() -> None:
    result = door("--help")
    assert result.exit_code == 0
    assert "python -m gaokerena evaluate transcripts" in " ".join(result.stdout.split())
