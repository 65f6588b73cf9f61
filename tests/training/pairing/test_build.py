"""Building pairs: every pair accounted for, split by question, idempotent, the same again, safe against a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.training.killing import kill_when
from tests.training.pairing.samples import OPTIONS, exchangeable, pair, planted
from tests.training.toy import benchmark, write
from tests.training.toy import pair as published
from training.cli import app
from training.decontaminate import Reference
from training.errors import TrainingError
from training.manifest import read_json
from training.pair_rows import PairRow, read_pairs, write_pairs
from training.pairing import build as module
from training.pairing.build import build, make
from training.pairing.built import Built, Options
from training.pairing.duplicates import question_groups

REASONS = "شماره {n}: بیمار {n} سال دارد و در MRI ضایعهٔ {n} دیده شد. یافتهٔ {n} با درد و تب همراه است."
LETTERS = ("AB", "BA", "CD", "DC", "AC", "CA")


def taught(count: int) -> list[PairRow]:
    """A teacher's pairs as published: the chosen side in lower case, each letter preferred as often as the other."""
    rows = []
    for n in range(count):
        good, bad = LETTERS[n % 6]
        body = REASONS.format(n=n)
        row = pair(
            f"t{n}", f"{body} بنابراین گزینهٔ [{good}] درست است.".lower(), f"{body} پس پاسخ، گزینهٔ [{bad}] است.",
            asked=f"پرسش {n} {n * 7} {n * 13} دربارهٔ درد {n} چیست؟", gold=good, source="teacher_correction",
        )  # fmt: skip
        rows.append(row.model_copy(update={"provenance": {"set": "published", "gold": good}}))
    return rows


def built(rows: list[PairRow], references: Reference | None = None, **options: Any) -> Built:
    found = Built()
    for row in rows:
        found.take(row)
    build(found, Options(**options), references)
    return found


def texts(rows: list[PairRow]) -> list[dict[str, Any]]:
    return [row.row() for row in rows]


class TestBuild:
    def test_a_teachers_pairs_come_out_in_one_case_and_one_hand(self) -> None:
        found = built(taught(60), held_out_per_mille=0)
        assert len(found.train) == 60
        assert found.changed == {"teacher_correction: letter case": 60, "teacher_correction: one hand": 60}
        for row in found.train:
            assert "MRI" in row.better
            assert row.better[:-20] == row.worse[:-20]
            assert row.provenance["repairs"] == ["letter case", "one hand"]

    def test_pairs_that_one_hand_makes_equal_are_one(self) -> None:
        first = taught(1)[0]
        longer = "فشار خون در این سن مهم‌تر از هر چیز دیگری است و کلیه را هم باید دید."
        second = pair(
            "other", first.better, f"{longer} {first.worse}", asked=first.asked.partition("\n")[0], gold="A",
            source="teacher_correction",
        )  # fmt: skip
        second = second.model_copy(update={"provenance": first.provenance})
        found = built([first, second], held_out_per_mille=0, balance=False)
        assert len(found.train) == 1
        assert not built(found.train, held_out_per_mille=0, balance=False).dropped.total()

    def test_a_fresh_teachers_pairs_keep_the_students_text(self) -> None:
        rows = [row.model_copy(update={"provenance": {"set": "rlaif", "gold": "A"}}) for row in taught(1)]
        rows = [row.model_copy(update={"id": "fresh"}) for row in rows]
        found = built(rows, held_out_per_mille=0, balance=False)
        assert [row.worse for row in found.train] == [row.worse for row in rows]

    def test_only_the_published_pairs_get_another_letter_case(self) -> None:
        text = (
            "بیمار چند ماه است که تب و درد دارد و یافته‌های HbA1c و MRI و نشانه‌های بیماری Wegener در او دیده شده است؛ "
            "پس باید {} را نیز با دقت سنجید. بنابراین گزینهٔ [{}] درست است."
        )
        doctors = pair("e", text.format("کلیه", "A"), text.format("کبد", "B"), asked="پرسشی دربارهٔ رگ‌ها چیست؟")
        fresh = pair(
            "f", text.format("قلب", "A"), text.format("ریه", "B"), gold="A", source="teacher_correction",
            asked="پرسشی دربارهٔ معده چیست؟",
        )  # fmt: skip
        found = built([doctors, fresh], hands="two", held_out_per_mille=0)
        assert [(row.better, row.worse) for row in found.train] == [(r.better, r.worse) for r in (doctors, fresh)]
        assert not found.changed.total()

    def test_two_hands_keep_the_students_text(self) -> None:
        found = built(taught(60), hands="two", held_out_per_mille=0)
        assert all("پس پاسخ" in row.worse for row in found.train)

    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 10**6), st.integers(0, 300))
    def test_built_from_its_own_output_a_set_stays_as_it_is(self, seed: int, per_mille: int) -> None:
        first = built([*taught(20), *exchangeable(30, seed)], held_out_per_mille=per_mille)
        again = built(first.train, held_out_per_mille=per_mille)
        assert texts(again.train) == texts(first.train)
        assert not again.dropped.total()
        assert not again.held_out

    def test_every_pair_is_kept_or_counted_by_source_and_reason(self) -> None:
        rows = taught(12)
        rows += [rows[0].model_copy(update={"id": "twice"}), pair("short", "بله", "نه"), *exchangeable(5, seed=1)]
        references = Reference()
        references.add("kopp_larger", ["شماره 3: بیمار 3 سال دارد و در MRI ضایعهٔ 3"])
        found = built(rows, references, held_out_per_mille=0)
        assert found.came == {"teacher_correction": 13, "expert": 6}
        dropped = {reason: count for reason, count in found.dropped.items() if "balancing" not in reason}
        assert dropped == {
            "teacher_correction: duplicate": 1,
            "teacher_correction: shares_8_gram_with_kopp_larger": 1,
            "expert: chosen: short": 1,
        }
        assert len(found.train) + found.dropped.total() == 19

    def test_a_doctors_verdict_beats_a_judges_whatever_file_comes_first(self) -> None:
        expert = exchangeable(1, seed=1)[0]
        other = {"chosen": expert.rejected, "rejected": expert.chosen, "source": "judge"}
        judged = [expert.model_copy(update=other | {"id": f"j{n}"}) for n in range(3)]
        for rows in ([expert, *judged], [*judged, expert]):
            found = built(rows, held_out_per_mille=0)
            assert found.train == [expert]
            assert found.dropped == {"judge: contradicts a better source": 3}

    def test_near_questions_lie_on_one_side_of_the_split(self) -> None:
        rows = exchangeable(60, seed=3)
        near = [
            row.model_copy(
                update={
                    "id": f"{row.id}-near",
                    "prompt": (row.prompt[0].model_copy(update={"content": row.asked.replace("چیست", "کدام است")}),),
                    "rejected": rows[(place + 1) % 60].rejected,
                }
            )
            for place, row in enumerate(rows)
        ]
        found = built([*rows, *near], held_out_per_mille=300)
        assert found.held_out
        assert found.train
        group = question_groups([*found.train, *found.held_out])
        assert not set(group[: len(found.train)]) & set(group[len(found.train) :])

    def test_balancing_can_be_left_out(self) -> None:
        rows = planted(exchangeable(40, seed=5), "length")
        assert len(built(rows, held_out_per_mille=0, balance=False).train) == 40
        found = built(rows, held_out_per_mille=0)
        assert len(found.train) < 20
        assert {reason.partition(":")[2][:17] for reason in found.dropped} == {" balancing length"}

    def test_as_is_nothing_changes(self) -> None:
        rows = [*taught(3), pair("short", "بله", "نه")]
        assert built(rows, as_is=True).train == rows


class TestMake:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "in.jsonl"
        write_pairs(path, [*taught(30), *exchangeable(30, seed=2)])
        return path

    def test_the_door_builds_once_and_the_same_again(self, file: Path, tmp_path: Path) -> None:
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
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out, options = tmp_path / "out", Options(files=(str(file),), suites=False)
        make(out, options)
        monkeypatch.setattr(module, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(out, options.model_copy(update={"hands": "two"}))
        assert not (out / "manifest.json").exists(), "an old manifest beside new files would vouch for them"

    def test_killed_in_the_middle_and_run_again_it_is_as_if_never_killed(self, file: Path, tmp_path: Path) -> None:
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

    def test_the_published_table_is_read_and_decontaminated(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
            (["--held-out", "0.9"], "held_out_per_mille: .*less than or equal to 500"),
            ([], "nothing to build from"),
        ],
    )
    def test_errors_of_the_door(self, tmp_path: Path, arguments: list[str], said: str) -> None:
        result = CliRunner().invoke(app, ["pairs", "build", *arguments, "--out", str(tmp_path / "out"), "--no-suites"])
        with pytest.raises(TrainingError, match=said):
            raise result.exception or AssertionError(result.output)

    def test_one_id_with_two_contents_is_refused_and_one_row_in_two_files_taken_once(self, tmp_path: Path) -> None:
        (row, other) = exchangeable(2, seed=1)
        write_pairs(tmp_path / "a.jsonl", [row])
        write_pairs(tmp_path / "b.jsonl", [row, other])
        write_pairs(tmp_path / "c.jsonl", [other.model_copy(update={"id": row.id})])
        files = tuple(str(tmp_path / f"{name}.jsonl") for name in "ab")
        manifest = make(tmp_path / "out", Options(files=files, suites=False, held_out_per_mille=0))
        assert json.dumps(manifest["dropped"]) == '{"expert: duplicate": 1}'
        with pytest.raises(TrainingError, match=r"stands for one pair in .*a\.jsonl and another in .*c\.jsonl"):
            make(tmp_path / "bad", Options(files=(files[0], str(tmp_path / "c.jsonl")), suites=False))
