"""The door that builds pairs: the same again, finished once, safe against a kill, the published table, errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.training.killing import kill_when
from tests.training.pairing.samples import OPTIONS, REASONS, exchangeable, taught
from tests.training.toy import benchmark, write
from tests.training.toy import pair as published
from training.cli import app
from training.errors import TrainingError
from training.manifest import read_json
from training.pair_rows import Turn, read_pairs, write_pairs
from training.pairing import build as module
from training.pairing.build import make
from training.pairing.built import Options


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    write_pairs(path, [*taught(30), *exchangeable(30, seed=2)])
    return path


def test_the_door_builds_once_and_the_same_again(file: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        arguments = ["pairs", "build", str(file), "--out", str(tmp_path / name), "--no-suites", "--held-out", "0.2"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert "in           30  teacher_correction" in result.stdout
    one, other = tmp_path / "one", tmp_path / "other"
    for name in ("pairs.jsonl", "held_out.jsonl"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    manifest = read_json(one / "manifest.json")
    assert sum(manifest["counts_in"].values()) == 60
    assert sum(manifest["counts_out"].values()) + sum(manifest["dropped"].values()) == 60
    assert manifest["decontaminated"] is False
    assert read_pairs(one / "held_out.jsonl")
    times = {path: path.stat().st_mtime_ns for path in one.iterdir()}
    assert CliRunner().invoke(app, [*arguments[:4], str(one), *arguments[5:]]).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in one.iterdir()} == times


def test_another_option_builds_anew_and_a_kill_before_the_end_leaves_no_manifest(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, options = tmp_path / "out", Options(files=(str(file),), suites=False)
    make(out, options)
    monkeypatch.setattr(module, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make(out, options.model_copy(update={"hands": "two"}))
    assert not (out / "manifest.json").exists(), "an old manifest beside new files would vouch for them"


def test_killed_in_the_middle_and_run_again_it_is_as_if_never_killed(file: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from training.pairing import build as b, stage as s\n"
        "from training.pairing.built import Options\n"
        "real = s.write_pairs\n"
        "def slow(path, rows):\n"
        "    done = real(path, rows)\n"
        "    import time; time.sleep(30)\n"
        "    return done\n"
        "s.write_pairs = slow\n"
        "folder = Path(sys.argv[1])\n"
        "b.make(folder / 'out', Options(files=(str(folder / 'in.jsonl'),), suites=False))\n"
    )
    kill_when(script, tmp_path, tmp_path / "out" / "pairs.jsonl")
    assert not (tmp_path / "out" / "manifest.json").exists()
    options = Options(files=(str(file),), suites=False)
    assert make(tmp_path / "out", options)["starts"] == 2
    make(tmp_path / "whole", options)
    for name in ("pairs.jsonl", "held_out.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_published_table_is_read_and_decontaminated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        published(f"{row.asked.partition(chr(10))[0]}", OPTIONS, row.provenance["gold"], row.better, row.worse)
        for row in taught(6)
    ]
    rows += [published("پرسشی که پاسخش نرسید، چیست؟", OPTIONS, "D", "", REASONS)]
    tested = [benchmark("mmlu_fa", rows[2]["prompt"].split("\n")[2], ("سل", "آسم", "سرفه", "تب"), "A")]
    write(tmp_path / "data", preference_pairs=rows, benchmarks=tested)
    monkeypatch.setenv("GAOKERENA_DATA", str(tmp_path / "data"))
    manifest = make(tmp_path / "out", Options(published=True, held_out_per_mille=0))
    assert manifest["decontaminated"] is True
    assert manifest["dropped"]["teacher_correction: chosen: empty"] == 1
    assert manifest["dropped"]["teacher_correction: shares_8_gram_with_mmlu_fa"] == 1
    assert manifest["counts_in"] == {"teacher_correction": 7}
    row = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert (row.provenance["set"], row.provenance["part"]) == ("published", 3)
    with pytest.raises(TrainingError, match="nothing to build from"):
        make(tmp_path / "none", Options(published=True, parts=(4, 5)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.jsonl"], r"no pairs at none\.jsonl"),
        (["--published", "--parts", "a"], "--parts 'a' is not a part"),
        (["--held-out", "nan"], "cannot convert float NaN.*--held-out a share"),
        (["--held-out", "0.9"], "held_out_per_mille: .*less than or equal to 500"),
        (["--as-is", "--prompting", "cot"], "pairs build: .*as_is changes nothing, prompting changes the prompts"),
        ([], "nothing to build from"),
    ],
)
def test_errors_of_the_door(tmp_path: Path, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["pairs", "build", *arguments, "--out", str(tmp_path / "out"), "--no-suites"])
    with pytest.raises(TrainingError, match=said):
        raise result.exception or AssertionError(result.output)


def test_an_empty_file_and_a_build_that_leaves_nothing_are_told(tmp_path: Path) -> None:
    empty = tmp_path / "export.jsonl"
    empty.touch()
    with pytest.raises(TrainingError, match=r"no pairs stand in .*export\.jsonl; the manifest"):
        make(tmp_path / "none", Options(files=(str(empty),), suites=False))
    rows = [row.model_copy(update={"rejected": (Turn(role="assistant", content="."),)}) for row in exchangeable(2, 1)]
    write_pairs(tmp_path / "pairs.jsonl", rows)
    words = ["pairs", "build", str(tmp_path / "pairs.jsonl"), "--out", str(tmp_path / "out"), "--no-suites"]
    assert "out           0  pairs\n" in CliRunner().invoke(app, words).stdout


def test_one_id_with_two_contents_is_refused_and_one_row_in_two_files_taken_once(tmp_path: Path) -> None:
    (row, other) = exchangeable(2, seed=1)
    write_pairs(tmp_path / "a.jsonl", [row])
    write_pairs(tmp_path / "b.jsonl", [row, other])
    write_pairs(tmp_path / "c.jsonl", [other.model_copy(update={"id": row.id})])
    files = tuple(str(tmp_path / f"{name}.jsonl") for name in "ab")
    manifest = make(tmp_path / "out", Options(files=files, suites=False, held_out_per_mille=0))
    assert json.dumps(manifest["dropped"]) == '{"expert: duplicate": 1}'
    with pytest.raises(TrainingError, match=r"stands for one pair in .*a\.jsonl and another in .*c\.jsonl"):
        make(tmp_path / "bad", Options(files=(files[0], str(tmp_path / "c.jsonl")), suites=False))
