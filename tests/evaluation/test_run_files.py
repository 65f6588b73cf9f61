"""A run's rows and its file on disk: torn lines, strange lines, two processes, values that changed, full disks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from gaokerena.evaluation.run_file import RunFile
from gaokerena.evaluation.run_rows import Rows, RunError

ROOT = Path(__file__).parents[2]


class Note(BaseModel):
    text: str


def test_rows_come_back_and_more_are_added(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rows.jsonl"
    with Rows(path, Note) as rows:
        assert list(rows.read()) == []
        rows.append(Note(text="یک"))
        assert path.read_bytes() == '{"text":"یک"}\n'.encode()
    with Rows(path, Note) as rows:
        assert [row.text for row in rows.read()] == ["یک"]
        rows.append(Note(text="دو"))
        assert [row.text for row in rows.read()] == ["یک", "دو"]


@pytest.mark.parametrize("keep", range(1, 14))
def test_a_torn_last_line_is_cut_away_wherever_it_was_torn(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "rows.jsonl"
    whole = '{"text":"یک"}\n'.encode()
    path.write_bytes(whole + whole[:keep])
    with Rows(path, Note) as rows:
        assert len(list(rows.read())) == 1
        assert rows.torn == keep
        rows.append(Note(text="دو"))
    assert path.read_text("utf-8") == '{"text":"یک"}\n{"text":"دو"}\n'


@pytest.mark.parametrize(("line", "says"), [("{}", "column 'text': Field required"), ("قاتی", "Invalid JSON")])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "یک"}}\n{line}\n', "utf-8")
    with Rows(path, Note) as rows, pytest.raises(RunError, match=f"rows.jsonl:2: {says}.*delete it"):
        list(rows.read())


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    script = (
        "import sys; from pathlib import Path; from pydantic import BaseModel\n"
        "from gaokerena.evaluation.run_rows import Rows\n"
        "with Rows(Path(sys.argv[1]), BaseModel): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match="another process is writing it"), Rows(path, Note):
            pass
        process.kill()
    with Rows(path, Note) as rows:
        assert list(rows.read()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"File exists; give a folder that can be written"):
        Rows(tmp_path / "file" / "rows.jsonl", Note).__enter__()
    with pytest.raises(RunError, match=r"run\.json: File exists"):
        RunFile(tmp_path / "file" / "run.json").begin({}, {}, rows=0, where=tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(RunError, match="No space left on device; make room"), Rows(Path("/dev/full"), Note) as rows:
        rows.append(Note(text="یک"))


# The run's file

DECIDING = {"seed": 1, "sampling": {"temperature": 0.7, "top_p": 0.9}, "revision": None}


def begun(tmp_path: Path, rows: int = 0, **changes: object) -> dict[str, object]:
    RunFile(tmp_path / "run.json").begin(DECIDING | changes, {"command": "c"}, rows=rows, where=tmp_path / "rows.jsonl")
    content: dict[str, object] = json.loads((tmp_path / "run.json").read_text("utf-8"))
    return content


def test_the_file_says_what_decides_and_counts_the_starts(tmp_path: Path) -> None:
    first = begun(tmp_path)
    again = begun(tmp_path, rows=3)
    assert first["deciding"] == again["deciding"] == DECIDING
    assert (first["starts"], again["starts"]) == (1, 2)
    assert first["began"] == again["began"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": 2}, "seed is 2 now and was 1"),
        ({"sampling": {"temperature": 0.0, "top_p": 0.9}}, "sampling.temperature is 0.0 now and was 0.7"),
        ({"sampling": {"top_p": 0.9}}, "sampling.temperature is None now and was 0.7"),
        ({"batch": 16}, "batch is 16 now and was None"),
    ],
)
def test_going_on_with_other_values_is_refused_naming_them(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    begun(tmp_path)
    with pytest.raises(RunError, match=f"{says} in .*run.json.*another --out, or delete .*run.json and .*rows.jsonl"):
        begun(tmp_path, rows=1, **changes)
    assert json.loads((tmp_path / "run.json").read_text("utf-8"))["deciding"] == DECIDING


def test_without_answers_a_run_may_begin_anew_with_other_values(tmp_path: Path) -> None:
    begun(tmp_path)
    assert begun(tmp_path, seed=2)["deciding"] == DECIDING | {"seed": 2}


def test_answers_without_their_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"rows.jsonl: 4 answers, but no .*run\.json"):
        begun(tmp_path, rows=4)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"deciding": 3}', '{"deciding"'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"run\.json: not a run's file"):
        begun(tmp_path, rows=1)


def test_seconds_add_up_over_the_starts(tmp_path: Path) -> None:
    for rows in (0, 2):
        file = RunFile(tmp_path / "run.json")
        file.begin(DECIDING, {}, rows=rows, where=tmp_path)
        file.end({"answers": 2}, 1.5)
    outcome = json.loads((tmp_path / "run.json").read_text("utf-8"))["outcome"]
    assert (outcome["seconds"], outcome["answers"]) == (3.0, 2)
