"""Early stop on held-out pairs: it stops, keeps the best adapter and not the last, and a kill changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.training import small
from training import dpo, fit_run
from training.errors import TrainingError
from training.manifest import read_json, write_json, write_jsonl
from training.recipe import DpoRecipe

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


def recipe(base: Path, **changes: Any) -> DpoRecipe:
    """A rate so high that the held-out loss soon rises."""
    optimiser = small.optimiser(
        per_device_train_batch_size=4, gradient_accumulation_steps=1, max_steps=24, save_steps=2, learning_rate=0.02,
        lr_scheduler_type="constant",
    )  # fmt: skip
    stop = {"patience": 2}
    return small.dpo_recipe(base, optimiser=optimiser, eval_steps=2, early_stop=stop, **changes)


def held_out(folder: Path) -> Path:
    """Pairs that want the opposite of what is trained on: the better training goes, the worse these get."""
    rows = [small.pair(small.QUESTIONS[place], small.ANSWERS[place + 1], small.ANSWERS[place]) for place in range(4)]
    write_jsonl(folder / "away.jsonl", rows)
    return folder / "away.jsonl"


def weights(adapter: Path) -> bytes:
    return (adapter / "adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """(A run that stopped early, its counts)."""
    folder = tmp_path_factory.mktemp("early")
    tiny.make_tiny(folder)
    counts = small.manifest()
    out = folder / "whole"
    dpo.train(recipe(folder / "base"), small.pairs(folder), held_out(folder), out, counts)
    return out, counts


def test_it_stops_where_the_held_out_pairs_get_no_better_and_keeps_the_best(whole: tuple[Path, Any]) -> None:
    out, counts = whole
    rows: list[dict[str, float]] = read_json(out / "log.json")  # type: ignore[assignment]
    losses = {int(row["step"]): row["eval_loss"] for row in rows if "eval_loss" in row}
    best = min(losses, key=lambda step: losses[step])
    assert counts.extra["stopped_early"]
    assert counts.counts_out["steps"] == best + 4 < 24, "two evaluations without a new best"
    assert counts.extra["best"] == {"step": best, "eval_loss": losses[best]}
    kept = read_json(out / "checkpoints" / f"checkpoint-{best}" / "adapter_config.json")
    assert kept["r"] == 4, "the best checkpoint outlives the ones after it"


def test_what_is_saved_is_the_best_adapter_not_the_last(whole: tuple[Path, Any], tmp_path: Path) -> None:
    out, counts = whole
    best = counts.extra["best"]["step"]
    last = out / "checkpoints" / f"checkpoint-{counts.counts_out['steps']}"
    saved = tiny_state(out / "adapter")
    assert saved == tiny_state(out / "checkpoints" / f"checkpoint-{best}")
    assert saved != tiny_state(last)


def tiny_state(folder: Path) -> dict[str, list[float]]:
    """An adapter's weights as bfloat16, as they are saved."""
    import torch
    from safetensors.torch import load_file

    found = load_file(folder / "adapter_model.safetensors")
    return {name: weight.to(torch.bfloat16).flatten().tolist() for name, weight in found.items()}


@pytest.mark.parametrize("killed_at", ["at the best", "while patient", "after its last step"])
def test_a_run_killed_anywhere_ends_with_the_same_bytes(
    whole: tuple[Path, Any], tmp_path: Path, killed_at: str
) -> None:
    """What a kill leaves: the checkpoints up to a step and nothing after it."""
    out, counts = whole
    folder, last, best = out.parent, counts.counts_out["steps"], counts.extra["best"]["step"]
    step = {"at the best": best, "while patient": best + 2, "after its last step": last}[killed_at]
    killed = tmp_path / "killed"
    if step == last:
        shutil.copytree(out, killed)
        shutil.rmtree(killed / "adapter")
        out.rename(out.with_name("elsewhere"))  # the state names a place that is gone
    else:  # both checkpoints a run keeps, made by the same steps
        stopped = recipe(folder / "base")
        halted = Halted(step)
        halted.run(stopped, folder, killed)
    again = small.manifest()
    try:
        adapter = dpo.train(recipe(folder / "base"), folder / "pairs.jsonl", folder / "away.jsonl", killed, again)
    finally:
        if not out.exists():
            out.with_name("elsewhere").rename(out)
    assert weights(adapter) == weights(out / "adapter")
    assert read_json(killed / "log.json") == read_json(out / "log.json")
    assert (again.counts_out, again.extra["best"]) == (counts.counts_out, counts.extra["best"])


class Halted:
    """Runs a recipe and dies right after the checkpoint of a step was written."""

    def __init__(self, step: int) -> None:
        self.step = step

    def run(self, stopped: DpoRecipe, folder: Path, out: Path) -> None:
        step, real = self.step, dpo.DPOTrainer

        class Dying(real):  # type: ignore[misc, valid-type]
            def _save_checkpoint(self, *given: Any) -> None:
                super()._save_checkpoint(*given)
                if self.state.global_step == step:
                    raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(dpo, "DPOTrainer", Dying)
            with pytest.raises(KeyboardInterrupt):
                dpo.train(stopped, folder / "pairs.jsonl", folder / "away.jsonl", out, small.manifest())


def test_without_its_best_checkpoint_nothing_is_saved(whole: tuple[Path, Any], tmp_path: Path) -> None:
    out, counts = whole
    killed = tmp_path / "killed"
    shutil.copytree(out / "checkpoints", killed / "checkpoints")
    shutil.rmtree(killed / "checkpoints" / f"checkpoint-{counts.extra['best']['step']}")
    with pytest.raises(TrainingError, match="was the best, and it is not there"):
        fit_run.best_is_here(Path(fit_run.last_checkpoint(killed) or ""))


def test_without_held_out_rows_there_is_nothing_to_stop_by(whole: tuple[Path, Any], tmp_path: Path) -> None:
    folder = whole[0].parent
    with pytest.raises(TrainingError, match="early_stop looks at held-out rows and there are none"):
        dpo.train(recipe(folder / "base"), folder / "pairs.jsonl", None, tmp_path, small.manifest())


def test_checkpoints_must_be_written_where_it_looks() -> None:
    with pytest.raises(ValueError, match=r"save_steps \(2\) must be a multiple of eval_steps \(3\)"):
        small.dpo_recipe(Path("base"), eval_steps=3, early_stop={"patience": 1})


def test_a_checkpoint_without_early_stopping_had_not_stopped(tmp_path: Path) -> None:
    write_json(tmp_path / "trainer_state.json", {"stateful_callbacks": {"TrainerControl": {"args": {}}}})
    assert not fit_run.had_stopped(str(tmp_path), 2)
