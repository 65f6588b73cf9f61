"""A run's file: what decides its answers, so that it goes on only as it began, and what has become of it.

    file = RunFile(out / "runs" / "mmlu_fa.r.cot.json")
    file.begin(deciding, about, rows=120)          # RunError where it began with other values
    file.end(outcome)

`deciding` holds every value that two equal answers must share; `about` what a reader wants to know besides. Both are
written before the first answer, whole or not at all.

Not covered: what nobody can see, such as a served model that changes behind an unchanged name.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gaokerena import __version__
from gaokerena.comparisons import now
from gaokerena.evaluation.run_rows import RunError
from gaokerena.files import atomic

SCHEMA = 1
_LOCAL = ("torch", "transformers", "peft", "tokenizers")


class RunFile:
    """See the module. `path` lies beside the rows it speaks of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content: dict[str, Any] = {}

    @property
    def content(self) -> Mapping[str, Any]:
        """What the file holds; empty where there is none. Raises RunError where it cannot be read."""
        if not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_text("utf-8"))
            if not isinstance(content, dict) or not isinstance(content["deciding"], dict):
                raise TypeError("no object with a part 'deciding'")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.path}: not a run's file ({error}); give another --out, or delete it") from error
        return content

    def begin(self, deciding: Mapping[str, Any], about: Mapping[str, Any], *, rows: int, where: Path) -> None:
        """Write the file, or make sure that it says the same. `where` holds the `rows` answers there are so far.

        Raises RunError naming the first value that differs, or answers nobody wrote a file about.
        """
        earlier, deciding = dict(self.content), json.loads(json.dumps(deciding))
        if not earlier and rows:
            raise RunError(
                f"{where}: {rows} answers, but no {self.path} to say how they were made; give another --out, "
                "or delete them"
            )
        if earlier and rows:
            self._compare(earlier["deciding"], deciding, where)
        starts = earlier.get("starts", 0) if rows else 0
        first = earlier.get("began", now()) if rows else now()
        self._content = {"schema": SCHEMA, "deciding": deciding, "about": dict(about), "began": first}
        self._content |= {"starts": starts + 1, "outcome": None}
        self._seconds = float((earlier.get("outcome") or {}).get("seconds", 0)) if rows else 0.0
        self._write()

    def end(self, outcome: Mapping[str, Any], seconds: float) -> None:
        """Note what has become of the run, and `seconds` more that it took; kills lose those since the last note."""
        self._content["outcome"] = {**outcome, "seconds": round(self._seconds + seconds, 1), "at": now()}
        self._write()

    def _compare(self, earlier: Mapping[str, Any], deciding: Mapping[str, Any], where: Path) -> None:
        before, here = _flat(earlier), _flat(deciding)
        for name in [*here, *(name for name in before if name not in here)]:
            if before.get(name) != here.get(name):
                raise RunError(
                    f"{name} is {here.get(name)!r} now and was {before.get(name)!r} in {self.path}: the answers would "
                    f"not belong together. Give the same value, or another --out, or delete {self.path} and {where}"
                )

    def _write(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(self.path) as half:
                half.write_text(json.dumps(self._content, ensure_ascii=False, indent=1) + "\n", "utf-8")
        except OSError as error:
            raise RunError(f"{self.path}: {error.strerror}; give a folder that can be written with --out") from error


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested values by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return flat


def versions(*, local: bool) -> dict[str, str]:
    """Versions that decide an answer: of this project and, where this machine computes, of what it computes with."""
    found = {"gaokerena": __version__}
    for name in _LOCAL if local else ():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> str:
    """Architecture, processor and vector instructions (and the GPU): what the last bits of a sum depend on."""
    import torch

    parts = [platform.machine(), _processor(), torch.backends.cpu.get_cpu_capability()]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(part for part in parts if part)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8", errors="replace").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
