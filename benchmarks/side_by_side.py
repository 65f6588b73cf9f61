"""V and R in one batch on one base, against the other ways to run them; figures as ratios within one run.

    python benchmarks/side_by_side.py --json                 # mini and about 300 M, and 8 B when there is a GPU
    python benchmarks/side_by_side.py --size mid --rounds 5 --dtype bfloat16

Ways to get both answers, greedy, interleaved round by round:
  one_batch        this project's decoding: both rows in every forward pass
  one_alone_each   the same decoding, one row after the other: what the batch alone saves
  two_merged       the same decoding, V and R each merged into a whole model, one after the other (not at 8 B)
  one_after_other  what a user of transformers has: PEFT's set_adapter and generate, V then R, on one base in memory
The first three share one kind of cache (`cache`) and on a CPU packed weights (`packing`); PEFT's way has neither, so
its ratio shows those too;
and five samples of one prompt in one call against five calls. Weights are random: time and memory do not depend on what
they say. Adapters have the base's dtype, as the engine keeps those it loses nothing by. Memory of the second model is
counted (bytes of weights) and measured (resident memory, or what CUDA holds) when the adapter r is added and when a
second merged model is; greedy tokens are compared in float32, with one after the other and with the merged models.

Not covered: the network, the page, several visitors at once.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from gaokerena.engines.threads import calm, enough

calm()

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import CohereConfig, CohereForCausalLM
from transformers.utils.logging import disable_progress_bar

from gaokerena.engines.adapters import Selection, stack
from gaokerena.engines.base import Sampling
from gaokerena.engines.decoding import Batch, Row
from gaokerena.engines.packing import pack

SHAPES = {
    "mini": {"hidden": 384, "inner": 1152, "layers": 6, "heads": 6, "kv_heads": 2, "vocabulary": 12_000},
    "mid": {"hidden": 1024, "inner": 4096, "layers": 16, "heads": 16, "kv_heads": 4, "vocabulary": 49_152},
    "8b": {"hidden": 4096, "inner": 14_336, "layers": 32, "heads": 32, "kv_heads": 8, "vocabulary": 256_000},
}
PROMPTS = {"v": 60, "r": 150}
"""Prompt tokens of the two rows."""


def build(size: str, dtype: torch.dtype, device: str, rank: int) -> tuple[PeftModel, float]:
    """A random Cohere model of the size with adapters v and r, strong enough to change what is said.

    The second value is by how much memory grew with the adapter r, in MB.
    """
    shape = SHAPES[size]
    config = CohereConfig(
        hidden_size=shape["hidden"], intermediate_size=shape["inner"], num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"], num_key_value_heads=shape["kv_heads"], vocab_size=shape["vocabulary"],
        rope_theta=10_000.0, logit_scale=0.125, max_position_embeddings=2048,
        eos_token_id=1, pad_token_id=0, bos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device(device):
        torch.set_default_dtype(dtype)
        model = CohereForCausalLM(config).eval()
        torch.set_default_dtype(torch.float32)
    lora = LoraConfig(r=rank, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    peft = get_peft_model(model, lora, adapter_name="adapter_v", autocast_adapter_dtype=False)
    _, grown = growth(lambda: peft.add_adapter("adapter_r", lora, autocast_adapter_dtype=False))
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return peft.eval(), grown


def resident() -> float:
    """MB held now: by CUDA's tensors where there is a GPU, else by the process in memory (Linux)."""
    gc.collect()
    if torch.cuda.is_available():
        return torch.cuda.memory_allocated() / 2**20
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of `work` and the MB that came to stay with it."""
    before = resident()
    result = work()
    return result, resident() - before


def prompts(vocabulary: int) -> dict[str, list[int]]:
    """Random token ids for each row, the same every time."""
    generator = torch.Generator().manual_seed(1)
    drawn = {name: torch.randint(10, vocabulary, (length,), generator=generator) for name, length in PROMPTS.items()}
    return {name: ids.tolist() for name, ids in drawn.items()}


def run_batch(batch: Batch, rows: list[Row]) -> list[list[int]]:
    """Decode `rows` to their limits; their tokens."""
    batch.join(rows)
    while batch.rows:
        batch.step()
    return [row.tokens for row in rows]


def run_generate(model: Any, prompt: list[int], tokens: int) -> list[int]:
    """Greedy tokens by transformers' own generate."""
    ids = torch.tensor([prompt], device=model.device)
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
        )
    found: list[int] = out[0, len(prompt) :].tolist()
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result; waits for the GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def interleaved(ways: dict[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Every way once a round, after one round unmeasured: seconds (median, min, max) and the last results."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, Any] = {}
    for number in range(rounds + 1):
        for name, work in ways.items():
            took, results[name] = timed(work)
            if number:
                seconds[name].append(took)
    shown = {
        name: {"median": round(statistics.median(all_), 4), "min": round(min(all_), 4), "max": round(max(all_), 4)}
        for name, all_ in seconds.items()
    }
    return shown, results


def weight_bytes(model: Any, adapters: bool) -> int:
    """Bytes of the adapters' parameters, or of all others."""
    chosen = (weight for name, weight in model.named_parameters() if ("lora_" in name) is adapters)
    return sum(weight.numel() * weight.element_size() for weight in chosen)


def ratio(seconds: dict[str, dict[str, float]], of: str, to: str) -> float:
    """One way's median as a share of another's."""
    return round(seconds[of]["median"] / seconds[to]["median"], 3)


def measure(size: str, dtype: torch.dtype, device: str, tokens: int, rounds: int) -> dict[str, Any]:
    """All figures of one size; every way has a copy of the weights of its own, so that all can be interleaved."""
    peft, grown = build(size, dtype, device, rank=8)
    second = weight_bytes(peft, adapters=True) / 2 / weight_bytes(peft, adapters=False)
    asked, heavy = prompts(peft.config.vocab_size), None
    model, selection = stack(copy.deepcopy(peft), {"v": "adapter_v", "r": "adapter_r"})
    parameters = sum(weight.numel() for weight in model.parameters())
    pack(model)
    batch = Batch(model, selection, frozenset(), 0)
    ways = _peft_ways(peft, asked, tokens) | _our_ways(batch, asked, tokens)
    if size != "8b":
        merged, heavy = _merged(peft)
        ways["two_merged"] = lambda: [run_batch(merged[name], [_row("base", asked[name], tokens)])[0] for name in asked]
    seconds, found = interleaved(ways, rounds)
    five, _ = interleaved(_five_ways(batch, asked["r"], tokens), rounds)
    others = [name for name in seconds if name != "one_batch"]
    return {
        "parameters": parameters,
        "threads": torch.get_num_threads(),
        "dtype": str(dtype).removeprefix("torch."),
        "device": device,
        "new_tokens": tokens,
        "rounds": rounds,
        "seconds": seconds | five,
        "ratio": {
            **{f"one_batch_to_{name}": ratio(seconds, "one_batch", name) for name in others},
            "five_in_one_call_to_five_calls": ratio(five, "five_in_one_call", "five_calls"),
        },
        "second_model_memory_percent": round(100 * second, 2),
        "second_model_mb": {"adapter": round(grown, 1), "merged": heavy and round(heavy, 1)},
        "greedy_tokens_equal": _equal(found, "one_after_other", dtype),
        "greedy_tokens_equal_to_two_merged": _equal(found, "two_merged", dtype),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _peft_ways(peft: PeftModel, asked: dict[str, list[int]], tokens: int) -> dict[str, Callable[[], Any]]:
    def one_after_other() -> list[list[int]]:
        found = []
        for name, prompt in asked.items():
            peft.set_adapter(f"adapter_{name}", inference_mode=True)
            found.append(run_generate(peft, prompt, tokens))
        return found

    return {"one_after_other": one_after_other}


def _equal(found: dict[str, Any], other: str, dtype: torch.dtype) -> bool | None:
    """Whether one batch and the `other` way chose the same tokens; None where rounding decides or it was not run."""
    return found["one_batch"] == found[other] if dtype == torch.float32 and other in found else None


def _merged_alone(peft: PeftModel, name: str) -> Any:
    return _packed(copy.deepcopy(peft), f"adapter_{name}")


def _merged(peft: PeftModel) -> tuple[dict[str, Batch], float]:
    """Two whole models, each with one adapter merged into weights of its own, and the MB the second one took."""
    found, grown = {}, 0.0
    for name in PROMPTS:
        model, grown = growth(partial(_merged_alone, peft, name))
        found[name] = Batch(model, Selection(()), frozenset(), 0)
    return found, grown


def _packed(peft: PeftModel, adapter: str) -> Any:
    """The base with the adapter merged in, as the local engine would hold it."""
    model = peft.merge_and_unload(adapter_names=[adapter]).eval()
    pack(model)
    return model


def _row(name: str, prompt: list[int], tokens: int, sampling: Sampling | None = None, seed: int = 0) -> Row:
    return Row(name, tuple(prompt), sampling or Sampling(), seed, tokens)


def _our_ways(batch: Batch, asked: dict[str, list[int]], tokens: int) -> dict[str, Callable[[], Any]]:
    return {
        "one_batch": lambda: run_batch(batch, [_row(name, prompt, tokens) for name, prompt in asked.items()]),
        "one_alone_each": lambda: [run_batch(batch, [_row(name, prompt, tokens)])[0] for name, prompt in asked.items()],
    }


def _five_ways(batch: Batch, prompt: list[int], tokens: int) -> dict[str, Callable[[], Any]]:
    sampling = Sampling(temperature=0.7, top_p=0.95)

    def rows() -> list[Any]:
        return [_row("r", prompt, tokens, sampling, seed) for seed in range(5)]

    return {
        "five_in_one_call": lambda: run_batch(batch, rows()),
        "five_calls": lambda: [run_batch(batch, [row]) for row in rows()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=[*SHAPES, "all"], default="all")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default=None, help="default: both on a CPU")
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="default: as the local engine chooses")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    disable_progress_bar()
    most = torch.get_num_threads()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sizes = [chosen.size] if chosen.size != "all" else ["mini", "mid", *(["8b"] if device == "cuda" else [])]
    report: dict[str, Any] = {"torch": torch.__version__, "sizes": {}}
    for size in sizes:
        shape = SHAPES[size]
        roughly = shape["vocabulary"] * shape["hidden"] + 12 * shape["layers"] * shape["hidden"] ** 2
        torch.set_num_threads(chosen.threads or enough(roughly, device) or most)
        for name in [chosen.dtype] if chosen.dtype else (["bfloat16"] if size == "8b" else ["float32", "bfloat16"]):
            found = measure(size, getattr(torch, name), device, chosen.tokens, chosen.rounds)
            report["sizes"][f"{size} {name}"] = found
            if not chosen.json:
                second = found["second_model_memory_percent"]
                print(f"{size} {name}: {json.dumps(found['ratio'])}, second model {second} % of memory")
    if chosen.json:
        print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
