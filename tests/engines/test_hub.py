"""The preset gaokerena loads its base and both adapters from a hub: the real loading code, a hub on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.engines.hub_server import COMMIT, hub
from tests.tiny import make_tiny

ROOT = Path(__file__).parents[2]


def ask(folder: Path, address: str, *more: str) -> subprocess.CompletedProcess[str]:
    """`python -m gaokerena ask` in a process of its own, as a researcher with an empty cache runs it."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("GAOKERENA_", "HF_"))}
    settings |= {
        "HF_ENDPOINT": address,
        "HF_HOME": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    settings |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "gaokerena", "ask", "تب دارم", "--preset", "gaokerena", "--json", *more]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=240)


def test_base_and_adapters_come_from_the_hub(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "tiny")
    repositories = {
        "CohereLabs/aya-expanse-8b": tiny / "base",
        "gaokerena/gaokerena-v1.0": tiny / "v",
        "gaokerena/gaokerena-r1.0": tiny / "r",
    }
    with hub(repositories) as address:
        done = ask(tmp_path, address)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [answer["model"] for answer in found["answers"]] == ["v", "r"]
    assert all(answer["usage"]["completion_tokens"] for answer in found["answers"])
    assert found["answers"][0]["revision"] == f"{COMMIT[:16]}+{COMMIT[:16]}"
    assert list((tmp_path / "cache").rglob(COMMIT)), "nothing was kept for the next start"


def test_an_adapter_the_hub_does_not_have(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "tiny")
    with hub({"CohereLabs/aya-expanse-8b": tiny / "base", "gaokerena/gaokerena-v1.0": tiny / "v"}) as address:
        done = ask(tmp_path, address)
    assert done.returncode == 2
    assert "adapter r at gaokerena/gaokerena-r1.0 is missing or incomplete" in done.stderr
    assert "Traceback" not in done.stderr
