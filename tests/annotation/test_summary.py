"""The report's figures, its page and the commands, from files to files."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from annotation import pull_cli
from annotation.report.words import FILE, PREFIX
from annotation.summary import summarise
from annotation.usable import Rules
from annotation.workspace import FILES, WorkspaceError, read_items, read_workspace
from gaokerena.expert_verdicts import VerdictFile
from tests.annotation.test_export import workspace
from tests.annotation.verdict_cases import confusion, item, judged, simulated, verdict

TRUE = {"a": 0.9, "b": 0.75, "c": 0.6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rates = {name: confusion(accuracy) for name, accuracy in TRUE.items()}
    rows, _ = simulated(rates, 200, seed=6, gold=25, duplicates=25)
    rows += [judged("a", item("extra"), None, cannot_judge=True), judged("b", item("extra"), "both_bad")]
    made = workspace(tmp_path_factory.mktemp("summary"), rows, verdict("a", "gone", "left"))
    with VerdictFile(made / FILES["draft"]) as file:
        file.append(verdict("b", "i0199", "left", status="draft", id="x"), verdict("z", "extra", None, status="draft"))
    return made


app = typer.Typer()
for command in (pull_cli.pull, pull_cli.report, pull_cli.adjudicate, pull_cli.export):
    app.command()(command)


def call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_figures_of_known_doctors(folder: Path) -> None:
    summary = summarise(read_workspace(folder), Rules(), overlap=3, seed=1)
    progress = summary["progress"]
    assert progress["items"] == {"comparison": 176, "duplicate": 25, "gold": 25}
    assert progress["items_by_verdicts"] == {"0": 0, "1": 0, "2": 1, "3": 225}
    assert (progress["complete"], progress["verdicts"]) == (225, 677)
    assert (progress["drafts"], progress["discarded"], progress["unknown_items"]) == (1, 0, 1)
    for doctor in summary["doctors"]:
        accuracy = TRUE[doctor["judge"]]
        for measure in (doctor["gold"], doctor["error_rates"]):
            low, high = measure["ci95"]
            assert low <= accuracy <= high, (doctor["judge"], measure)
        low, high = doctor["consistency"]["ci95"]
        assert low <= accuracy**2 + (1 - accuracy) ** 2 / 2 <= high
        low, high = doctor["side"]["ci95"]
        assert low <= 0.5 <= high
    assert [doctor["verdicts"] for doctor in summary["doctors"]] == [226, 226, 225]
    assert {each["question"]: each["items"] for each in summary["agreement"]}["choice"] == 175
    kappas = {(each["a"], each["b"]): each["kappa"] for each in summary["kappa"] if each["question"] == "choice"}
    assert kappas["a", "b"] > kappas["b", "c"] > 0
    (models,) = summary["models"]
    assert (models["a"], models["b"], models["items"]) == ("r", "v", 176)
    assert models["a_wins"] + models["b_wins"] + models["neither"] == pytest.approx(176)
    assert len(summary["items"]) == 176
    assert summary == json.loads(json.dumps(summary))
    assert summary == summarise(read_workspace(folder), Rules(), overlap=3, seed=1)


def test_an_empty_workspace_has_a_report(tmp_path: Path) -> None:
    made = workspace(tmp_path / "w", [judged("a", item("one"), "left")])
    (made / FILES["submitted"]).write_bytes(b"")
    summary = summarise(read_workspace(made), Rules(), overlap=2, seed=1)
    assert summary["doctors"] == summary["items"] == summary["models"] == summary["disputes"] == []
    assert summary["progress"]["items_by_verdicts"] == {"0": 1}
    code, out, _ = call("report", "--folder", made, "--out", tmp_path / "out")
    assert code == 0
    assert "doctors.html" in out
    code, _, told = call("export", "--folder", made, "--out", tmp_path / "pairs.jsonl")
    assert code == 0
    assert "`python -m annotation pull --dataset NAME` fetches them" in told


class Page(HTMLParser):
    """Texts, ids and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href"):
                self.addresses.append(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_needs_nothing_else_and_says_what_the_figures_say(folder: Path, tmp_path: Path) -> None:
    code, out, err = call("report", "--folder", folder, "--out", tmp_path, "--overlap", 3)
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(tmp_path / "doctors.html"), str(tmp_path / "doctors.json")]
    text = (tmp_path / "doctors.html").read_text("utf-8")
    page = Page(text)
    assert all(address.startswith("#") for address in page.addresses)
    assert not re.search(r"url\((?!data:|#)", text)
    assert len(page.ids) == len(set(page.ids))
    assert {"progress", "agreement", "doctors", "models", "disputes"} <= set(page.ids)
    shown = " ".join(page.texts)
    assert "{" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert PREFIX not in text
    assert "۲۲۵ مورد از ۲۲۶ مورد کامل است" in shown.replace("\u2067", "").replace("\u2069", "")
    summary = json.loads((tmp_path / "doctors.json").read_text("utf-8"))
    first = summary["doctors"][0]["gold"]
    persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    assert f"{first['right']} از {first['of']}".translate(persian) in shown
    call("report", "--folder", folder, "--out", tmp_path / "again", "--overlap", 3)
    assert (tmp_path / "again" / "doctors.html").read_bytes() == (tmp_path / "doctors.html").read_bytes()


def test_the_command_under_a_table_gives_its_figures(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken from the page and typed again, it writes the same bytes."""
    shutil.copytree(folder, tmp_path / "runs" / "deep")
    with VerdictFile(tmp_path / "study.jsonl") as file:
        file.append(verdict("s", "extra", "left", where="page", seconds=30))
    monkeypatch.chdir(tmp_path)
    rules = ("--min-gold", "0.9", "--min-checks", 3, "--seed", 4, "--verdicts", "study.jsonl")
    assert call("report", "--folder", "runs/deep", "--out", "one", *rules)[0] == 0
    text = Path("one/doctors.html").read_text("utf-8")
    (command,) = set(re.findall(r'<code dir="ltr">(.*?)</code>', text))
    words = shlex.split(unescape(command))
    assert words[:4] == ["python", "-m", "annotation", "report"]
    assert call(*words[3:], "--out", "two")[0] == 0
    for name in ("doctors.html", "doctors.json"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
    absolute = pull_cli._command(tmp_path / "runs", Rules(), 2, 1, [tmp_path / "study.jsonl"])
    assert str(tmp_path) not in absolute
    assert shlex.split(absolute)[5] == "…/runs"


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    shown = [item(f"i{n}") for n in range(3)]
    shown = [each.model_copy(update={"question": each.question.model_copy(update={"subject": bad})}) for each in shown]
    rows = [judged(name, each, "left") for name in (bad, "b") for each in shown]
    call("report", "--folder", workspace(tmp_path / "w", rows), "--out", tmp_path / "out")
    assert "<script" not in (tmp_path / "out" / "doctors.html").read_text("utf-8")


def test_the_commands(folder: Path, tmp_path: Path) -> None:
    code, out, _ = call("export", "--to", "pairs", "--folder", folder, "--out", tmp_path / "pairs.jsonl", "--json")
    assert code == 0
    assert json.loads(out)["preferences"]["in"] == 226
    code, out, _ = call("export", "--folder", folder, "--out", tmp_path / "pairs.jsonl")
    assert "preferences: 226 in" in out
    code, out, _ = call("adjudicate", "--folder", folder, "--json")
    assert (code, json.loads(out)["sent"]) == (0, 0)
    assert json.loads(out)["open"] == len((folder / "adjudicate.jsonl").read_text("utf-8").splitlines()) > 0
    code, out, _ = call("report", "--folder", folder, "--out", tmp_path, "--json")
    assert json.loads(out)["schema"] == 1


def test_what_is_wrong_is_named_in_one_line(folder: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (("report", "--folder", tmp_path / "none"), "annotation pull"),
        (("export", "--folder", tmp_path / "none", "--out", tmp_path / "p.jsonl"), "annotation pull"),
        (("export", "--folder", folder, "--out", folder / "p.jsonl"), "--out"),
        (("adjudicate", "--folder", folder, "--to", "http://127.0.0.1:1"), "--dataset"),
        (("pull", "--dataset", "x", "--from", tmp_path / "home", "--folder", tmp_path), "home"),
    ):
        code, _, err = call(*arguments)
        assert code == 2
        assert said in err
        assert len(err.strip().splitlines()) == 1


def test_a_further_file_of_verdicts_counts(folder: Path, tmp_path: Path) -> None:
    with VerdictFile(tmp_path / "study.jsonl") as file:
        file.append(verdict("s", "extra", "left", where="page", seconds=30))
    more = read_workspace(folder, [tmp_path / "study.jsonl"])
    assert len(more.judged) == len(read_workspace(folder).judged) + 1
    bare = workspace(tmp_path / "bare", [judged("a", item("one"), "left")])
    (bare / FILES["submitted"]).unlink()
    assert len(read_workspace(bare, [tmp_path / "study.jsonl"]).unknown) == 1


def test_a_torn_or_broken_ledger(tmp_path: Path) -> None:
    made = workspace(tmp_path / "w", [judged("a", item("one"), "left")])
    path = made / "items.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "i')  # a push is writing
    assert list(read_items(path)) == ["one"]
    assert path.read_bytes() == whole + b'{"id": "i'
    path.write_bytes(whole + b"nonsense\n")
    with pytest.raises(WorkspaceError, match=r"items\.jsonl:2"):
        read_items(path)


def test_every_word_is_used() -> None:
    """Keys of words.toml that no code names would rot there."""
    sources = "".join(path.read_text("utf-8") for path in FILE.parent.glob("*.*") if path != FILE)
    keys = re.findall(r"^(\w+) =", FILE.read_text("utf-8"), re.MULTILINE)
    made_up = ("q_", "level_", "kind_", "failed_", "g_", "r_")
    assert [key for key in keys if not key.startswith(made_up) and f'"{key}"' not in sources] == []
