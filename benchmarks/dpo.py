"""Where DPO's reference comes from, and what that costs: adapter off, worked out beforehand, or a second model.

    python benchmarks/dpo.py --json                     # mini shapes on this machine
    python benchmarks/dpo.py --size mid --rounds 3
    python benchmarks/dpo.py --gpu --json               # the 8 B Cohere shapes with random weights, one GPU

Ways, each in a process of its own (peak memory is a process's), interleaved round by round so that a busy neighbour
slows all of them; ratios are medians over the rounds of one run. On a CPU they are of processor time (one thread),
which a neighbour changes less than the clock; on a GPU of the clock:
  adapter_off    the policy's own base with its adapter off: a second forward pass at every step
  precomputed    reference log-probabilities worked out once before training (their time is counted apart)
  second_model   a second copy of the base
Tokens are those of both sides of a pair, padding not counted. The first step of a process is not counted.

`--gpu`: bfloat16 base, rank 16, batch 1, length 1,024, gradient checkpointing, log-probabilities in chunks by TRL's
fused head; seconds a step and peak memory for adapter_off and precomputed. The goal is 24 GB or less.

Not covered: several GPUs, quantised bases, quality (weights are random).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from gaokerena.engines.threads import calm

calm()

WAYS = ("adapter_off", "precomputed", "second_model")
SHAPES = {
    "tiny": {"hidden": 64, "inner": 128, "layers": 2, "heads": 4, "kv_heads": 2, "vocabulary": 2_000},
    "mini": {"hidden": 384, "inner": 1152, "layers": 6, "heads": 6, "kv_heads": 2, "vocabulary": 12_000},
    "mid": {"hidden": 1024, "inner": 4096, "layers": 16, "heads": 16, "kv_heads": 4, "vocabulary": 49_152},
    "8b": {"hidden": 4096, "inner": 14_336, "layers": 32, "heads": 32, "kv_heads": 8, "vocabulary": 256_000},
}
SEED = 5


def build(size: str, dtype: Any, device: str) -> Any:
    """A Cohere model of that shape with random weights."""
    import torch
    from transformers import CohereConfig, CohereForCausalLM

    shape = SHAPES[size]
    config = CohereConfig(
        vocab_size=shape["vocabulary"], hidden_size=shape["hidden"], intermediate_size=shape["inner"],
        num_hidden_layers=shape["layers"], num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kv_heads"], max_position_embeddings=8192, rope_theta=10_000.0, logit_scale=0.125,
        bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True, use_cache=False,
    )  # fmt: skip
    torch.manual_seed(SEED)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return CohereForCausalLM(config)
    finally:
        torch.set_default_dtype(before)


def pairs(count: int, length: int, vocabulary: int) -> list[dict[str, list[int]]]:
    """Token ids: a prompt of a third of `length`, answers that fill the rest, the rejected one a little shorter."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    asked = length // 3

    def ids(size: int) -> list[int]:
        return [int(each) for each in rng.integers(5, vocabulary, size)]

    return [
        {"prompt_ids": ids(asked), "chosen_ids": ids(length - asked), "rejected_ids": ids(length - asked - length // 8)}
        for _ in range(count)
    ]


def trainer_of(way: str, given: argparse.Namespace, folder: Path) -> Any:
    """A DPO trainer whose reference comes by `way`, on tokens that are given."""
    import torch
    from datasets import Dataset, disable_progress_bars
    from peft import LoraConfig
    from trl import DPOConfig

    from training import fit, tokenizer
    from training.pair_trainers import DPOTrainer

    disable_progress_bars()
    gpu = given.gpu
    dtype = torch.bfloat16 if gpu else torch.float32
    shape = SHAPES[given.size]

    class Ready(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    fit.settle()
    device = "cuda" if gpu else "cpu"
    arguments = DPOConfig(
        output_dir=str(folder), max_steps=given.steps + 1, per_device_train_batch_size=given.batch,
        gradient_accumulation_steps=1, gradient_checkpointing=gpu, bf16=gpu or given.bf16, use_cpu=not gpu,
        max_length=given.length, precompute_ref_log_probs=way == "precomputed", learning_rate=1e-5, seed=SEED,
        save_strategy="no", report_to="none", disable_tqdm=True, logging_steps=1000, dataloader_pin_memory=gpu,
    )  # fmt: skip
    lora = LoraConfig(r=16, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    rows = Dataset.from_list(pairs((given.steps + 1) * given.batch, given.length, shape["vocabulary"]))
    return Ready(
        model=build(given.size, dtype, device), args=arguments, train_dataset=rows, peft_config=lora,
        ref_model=build(given.size, dtype, device).requires_grad_(False) if way == "second_model" else None,
        processing_class=tokenizer.wrap(tokenizer.train(["آب و هوا", "درد و تب"] * 8, 300)), references=None,
    )  # fmt: skip


def measure(way: str, given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each step but the first, peak memory, and the time of what was worked out beforehand."""
    import torch
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.at: list[float] = []
            self.busy: list[float] = []

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if given.gpu:
                torch.cuda.synchronize()
            self.at.append(time.perf_counter())
            self.busy.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        trainer = trainer_of(way, given, Path(folder))
        ready = time.perf_counter()
        clock = Clock()
        trainer.add_callback(clock)
        trainer.train()
    seconds, busy = (statistics.median(b - a for a, b in pairwise(moments)) for moments in (clock.at, clock.busy))
    tokens = 2 * given.length * given.batch - given.length // 8 * given.batch
    peak = torch.cuda.max_memory_allocated() if given.gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "seconds_a_step": seconds,
        "tokens_per_second": tokens / seconds,
        "processor_seconds_a_step": busy,
        "tokens_per_processor_second": tokens / busy,
        "peak_memory_mb": round(peak / 2**20),
        "before_training_s": round(ready - began, 2),
        "device": torch.cuda.get_device_name() if given.gpu else "cpu",
        "torch": torch.__version__,
    }


def in_a_process(way: str, given: argparse.Namespace) -> dict[str, Any]:
    """`measure` in a process of its own."""
    options = [f"--{name}={getattr(given, name)}" for name in ("size", "steps", "batch", "length")]
    flags = [f"--{name}" for name in ("gpu", "bf16") if getattr(given, name)]
    done = subprocess.run(
        [sys.executable, __file__, f"--one={way}", *options, *flags], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it died"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(rounds: dict[str, list[dict[str, Any]]], given: argparse.Namespace) -> dict[str, Any]:
    """Medians over the rounds, and each way against the first as a ratio within a round."""
    made: dict[str, Any] = {
        "size": given.size, "length": given.length, "batch": given.batch, "steps": given.steps,
        "rounds": given.rounds, "ways": {}, "speed_against_adapter_off": {}, "memory_against_adapter_off": {},
    }  # fmt: skip
    for way, found in rounds.items():
        good = [one for one in found if "failed" not in one]
        if not good:
            made["ways"][way] = found[-1]
            continue
        numbers = {name: statistics.median(one[name] for one in good) for name in good[0] if name not in WORDS}
        made["ways"][way] = {name: round(value, 3) for name, value in numbers.items()} | {
            name: good[0][name] for name in WORDS
        }
    speed = "tokens_per_second" if given.gpu else "tokens_per_processor_second"
    for key, name in (("speed", speed), ("memory", "peak_memory_mb")):
        for way in rounds:
            both = [
                (one[name], other[name])
                for one, other in zip(rounds[way], rounds["adapter_off"], strict=True)
                if name in one and name in other
            ]
            if way != "adapter_off" and both:
                ratio = statistics.median(one / other for one, other in both)
                made[f"{key}_against_adapter_off"][way] = round(ratio, 3)
    return made


WORDS = ("device", "torch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SHAPES, default=None, help="default: mini, with --gpu 8b")
    parser.add_argument("--steps", type=int, default=6, help="measured steps a process")
    parser.add_argument("--batch", type=int, default=None, help="pairs a step; default 4, with --gpu 1")
    parser.add_argument("--length", type=int, default=None, help="tokens of the longer side; default 256, --gpu 1024")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="autocast on a CPU")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", choices=WAYS, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.size = given.size or ("8b" if given.gpu else "mini")
    given.batch = given.batch or (1 if given.gpu else 4)
    given.length = given.length or (1024 if given.gpu else 256)
    if given.one:
        print(json.dumps(measure(given.one, given)))
        return
    ways = [way for way in WAYS if not (given.size == "8b" and way == "second_model")]
    rounds: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(given.rounds):
        for way in ways:
            rounds[way].append(in_a_process(way, given))
    made = report(rounds, given)
    if given.json:
        print(json.dumps(made, indent=2))
    else:
        for way, found in made["ways"].items():
            print(way, found)
        print({name: made[name] for name in made if name.endswith("adapter_off")})


if __name__ == "__main__":
    main()
