"""How long recorded answers take to evaluate, and what reading them in other processes saves.

    GAOKERENA_DATA=… python benchmarks/evaluation.py --json      # half a minute on two quiet cores

The whole command `python -m gaokerena evaluate transcripts` is run as a user runs it, start of Python included, in
turn with the option reader in worker processes (as it is) and in one process (`taskset` to one core); the medians and
their ratio are printed. The goal is 10 s or less on two cores for all open transcripts.

Not covered: memory, and the rule search (`evaluate rules`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOAL = 10.0


def seconds(file: Path, cores: str | None) -> float:
    """Wall seconds of one run; `cores` as `taskset -c` takes them."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            sys.executable,
            "-m",
            "gaokerena",
            "evaluate",
            "transcripts",
            str(file),
            "--json",
            f"{folder}/out.json",
        ]
        began = time.monotonic()
        subprocess.run((["taskset", "-c", cores] if cores else []) + words, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    file = Path(os.environ["GAOKERENA_DATA"]) / "transcripts.parquet"
    pairs = [(seconds(file, None), seconds(file, "0")) for _ in range(asked.rounds)]
    both, one = (statistics.median(column) for column in zip(*pairs, strict=True))
    found = {
        "cores": os.cpu_count(), "load": os.getloadavg()[0], "rounds": asked.rounds, "goal_seconds": GOAL,
        "seconds": round(both, 2), "one_core_seconds": round(one, 2), "ratio": round(both / one, 3),
    }  # fmt: skip
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
