"""The door `python -m training rlaif`: pairs with a model's help, by method A, method B or a judge.

    python -m training rlaif --method a --student mini:base --teacher https://host/v1 --teacher-model NAME --out runs/a

Exit status: 0 done, or stopped by its budget (`--budget-status 3` gives that a status of its own); 1 calls failed or
the servers were given up, run again to ask them; 2 it could not begin, or the judge may not label; 130 Ctrl-C.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from training.rlaif.job import Job

DIALECT = "what the server knows beyond the OpenAI API: openai, vllm or llama.cpp"

Method = Annotated[Literal["a", "b", "judge"], typer.Option(help="a: correction, b: self-correction, or judge")]
Out = Annotated[Path, typer.Option(help="the run's folder: calls, pairs, what was dropped, manifest")]
Teacher = Annotated[str, typer.Option(help="PRESET:MODEL, endpoint:NAME or a URL (key: RLAIF_TEACHER_KEY)")]
Student = Annotated[str | None, typer.Option(help="the same for the student (key: RLAIF_STUDENT_KEY)")]
TeacherModel = Annotated[str | None, typer.Option(help="its name on the server of a URL")]
StudentModel = Annotated[str | None, typer.Option(help="its name on the server of a URL")]
TeacherDialect = Annotated[Literal["openai", "vllm", "llama.cpp"], typer.Option(help=DIALECT)]
StudentDialect = Annotated[Literal["openai", "vllm", "llama.cpp"], typer.Option(help=DIALECT)]
Questions = Annotated[Path | None, typer.Option(help="JSONL; else medmcqa_fa_rated.parquet of GAOKERENA_DATA")]
EveryRating = Annotated[bool, typer.Option(help="also rows the referees did not both rate 5 of 5")]
Limit = Annotated[
    int | None, typer.Option(min=1, help="so many questions, drawn by the seed (of --compare the first); else all")
]
Samples = Annotated[int, typer.Option(min=1, help="answers of the student to a question, in one call (judge: two)")]
Tries = Annotated[int, typer.Option(min=1, help="texts of the teacher at most, each told what was wrong")]
Turns = Annotated[int, typer.Option(min=1, help="method b: critiques at most")]
Temperature = Annotated[float | None, typer.Option(min=0, help="of the student; else its preset's, or 1")]
StudentTokens = Annotated[int | None, typer.Option(min=8, help="longest answer of the student")]
TeacherTemperature = Annotated[float, typer.Option(min=0, help="0 is greedy")]
TeacherTokens = Annotated[int | None, typer.Option(min=8, help="longest text of the teacher")]
BudgetTokens = Annotated[int | None, typer.Option(min=0, help="tokens of both parties, in all starts")]
BudgetMoney = Annotated[float | None, typer.Option(min=0, help="in what the prices are in, in all starts")]
PriceIn = Annotated[float | None, typer.Option(min=0, help="of a million tokens the teacher reads")]
PriceOut = Annotated[float | None, typer.Option(min=0, help="of a million tokens the teacher writes")]
StudentPriceIn = Annotated[float | None, typer.Option(min=0, help="the same for the student")]
StudentPriceOut = Annotated[float | None, typer.Option(min=0, help="the same for the student")]
BudgetStatus = Annotated[int, typer.Option(min=0, max=125, help="exit status when the budget stopped it")]
AtOnce = Annotated[int, typer.Option(min=1, help="questions worked on side by side")]
Timeout = Annotated[float, typer.Option(min=0.1, help="seconds without a word before a call is given up")]
Seed = Annotated[int, typer.Option(help="of the draw of questions and of sampling")]
Compare = Annotated[Path | None, typer.Option(help="judge: pairs of answers, instead of the student's own")]
Verdicts = Annotated[Path | None, typer.Option(help="judge: what doctors said, to measure it against")]
Items = Annotated[Path | None, typer.Option(help="judge: the items of --verdicts, unless those are pairs")]
Unmeasured = Annotated[bool, typer.Option(help="judge: label without measuring; every row says so")]
LeastAgreement = Annotated[float, typer.Option(min=0.5, max=1, help="judge: the interval must lie above it")]
AsJson = Annotated[bool, typer.Option("--json", help="print the manifest as JSON")]


def rlaif(
    method: Method,
    out: Out,
    teacher: Teacher,
    student: Student = None,
    teacher_model: TeacherModel = None,
    student_model: StudentModel = None,
    teacher_dialect: TeacherDialect = "openai",
    student_dialect: StudentDialect = "openai",
    questions: Questions = None,
    every_rating: EveryRating = False,
    limit: Limit = None,
    samples: Samples = 4,
    tries: Tries = 3,
    turns: Turns = 4,
    temperature: Temperature = None,
    student_tokens: StudentTokens = None,
    teacher_temperature: TeacherTemperature = 0.0,
    teacher_tokens: TeacherTokens = None,
    budget_tokens: BudgetTokens = None,
    budget_money: BudgetMoney = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    student_price_in: StudentPriceIn = None,
    student_price_out: StudentPriceOut = None,
    budget_status: BudgetStatus = 0,
    at_once: AtOnce = 8,
    timeout: Timeout = 120.0,
    seed: Seed = 0,
    compare: Compare = None,
    verdicts: Verdicts = None,
    items: Items = None,
    unmeasured: Unmeasured = False,
    least_agreement: LeastAgreement = 0.5,
    as_json: AsJson = False,
) -> None:
    """Make pairs: python -m training rlaif --method a --student mini:base --teacher endpoint:big --out runs/rlaif/a"""
    from training.rlaif.budget import Budget
    from training.rlaif.job import Job
    from training.rlaif.parties import Wanted

    longest = teacher_tokens or (400 if method == "judge" else None)
    prices = (student_price_in, student_price_out)
    job = Job(
        method, out,
        Wanted(teacher, teacher_model, teacher_dialect, teacher_temperature, longest, price_in, price_out),
        Wanted(student, student_model, student_dialect, temperature, student_tokens, *prices) if student else None,
        questions, limit, every_rating, samples, tries, turns, seed, at_once,
        timeout, Budget(budget_tokens, budget_money), compare, verdicts, items, unmeasured, least_agreement,
    )  # fmt: skip
    manifest = _carried_out(job)
    typer.echo(json.dumps(manifest, ensure_ascii=False, indent=2) if as_json else summary(manifest, out))
    raise typer.Exit({"complete": 0, "stopped by budget": budget_status}.get(manifest["outcome"], 1))


def _carried_out(job: Job) -> dict[str, Any]:
    """The manifest; Ctrl-C is an exit status of its own."""
    from gaokerena.engines.threads import calm

    calm()
    from training.rlaif.run import run

    try:
        return run(job, lambda text: typer.echo(text, err=True))
    except KeyboardInterrupt:
        typer.echo("stopped; run the same command again to go on", err=True)
        raise typer.Exit(130) from None


def summary(manifest: dict[str, Any], out: Path) -> str:
    """The manifest in a few lines, and what to do next."""
    from training.rlaif import turns

    counts, calls, money = manifest["accounting"], manifest["calls"], manifest["money"]["all"]
    lines = [f"{manifest['stage']}: {manifest['outcome']}"]
    if beyond := manifest["budget_exceeded_by"]:
        lines.append(f"  budget exceeded by {beyond['tokens']:,} tokens, {beyond['money']:,.4f} money")
    lines.append(
        f"  {counts['accepted']:,} accepted + {counts['dropped']:,} dropped + {counts['failed']:,} failed = "
        f"{counts['asked']:,} asked; {counts['not_reached']:,} not reached"
    )
    lines += [f"  dropped, {reason}: {count:,}" for reason, count in manifest["dropped"].items()]
    lines.append(
        f"  calls: {calls['finished']:,} finished ({calls['asked_now']:,} asked now, {calls['found_now']:,} found), "
        f"{calls['failed']:,} failed, {calls['lost']:,} cut off; {manifest['tokens']:,} tokens"
        + (f", cost {money:,.4f}" if money else "")
    )
    lines += [f"  failed, {reason}: {count:,}" for reason, count in manifest["failed_because"].items()]
    lines += [f"  gave up on the {why}" for why in [manifest["gave_up"]] if why]
    lines += turns.text(manifest.get("by_turn", ()))
    return "\n".join([*lines, f"  next: {_next(manifest, out)}"])


def _next(manifest: dict[str, Any], out: Path) -> str:
    """What a person does after such an end."""
    if manifest["outcome"] == "stopped by budget":
        return "the same command with a larger budget goes on where this one stopped"
    if manifest["outcome"] != "complete":
        return "the same command again asks only what has no end yet"
    if not manifest["accounting"]["accepted"]:
        return f"no pair was made; {out / 'dropped.jsonl'} says why of each question"
    return f"python -m training pairs build {out / 'pairs.jsonl'} --out {out / 'built'} (then audit; docs/pairs.md)"
