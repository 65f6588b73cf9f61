"""What a run cost: hours, price, energy and CO2 over all its starts, in `ledger.json` in its folder.

    with keeping(out, manifest, Rates(price_per_hour=1.2, country="CAN")):
        ...

The file is renewed while the run goes on, so a kill loses at most `EVERY` seconds of the count; the next start adds to
what is there. When the run ends, what it read and made is added: tokens, hardware, versions, hashes, commit. Price is
hours on the clock times the price of an hour of the machine. Only the main process of several keeps the book: its
`cpu_hours` and its processor's energy are its own, the energy of GPUs is that of all of its machine's.

Not covered: the price of a teacher's tokens (`rlaif` counts them), several machines.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.energy import Meter, metered
from training.manifest import Manifest, read_json, write_json
from training.ranks import main_process, processes

NAME = "ledger.json"
EVERY = 10.0


@dataclass(frozen=True)
class Rates:
    """What an hour of this machine costs, in `currency`, and the country whose electricity it takes."""

    price_per_hour: float | None = None
    currency: str = "USD"
    country: str | None = None


@contextmanager
def keeping(folder: Path, manifest: Manifest, rates: Rates, every: float = EVERY) -> Iterator[None]:
    """Keep the book of what runs inside; the manifest's tokens, counts and hashes are entered at the end."""
    if not main_process():
        yield
        return
    earlier = _earlier(folder / NAME, manifest.fingerprint)
    with metered(rates.country) as meter:
        book = _Book(folder / NAME, manifest, rates, meter, earlier)
        book.write()
        stop = threading.Event()
        thread = threading.Thread(target=book.keep, args=(stop, every), name="ledger", daemon=True)
        thread.start()
        try:
            yield
            book.done = True
        finally:
            stop.set()
            thread.join()
            book.write()


def _earlier(path: Path, fingerprint: str) -> list[dict[str, Any]]:
    """The starts of the same run so far."""
    try:
        found = read_json(path)
        return list(found["starts"]) if found["fingerprint"] == fingerprint else []
    except (FileNotFoundError, ValueError, KeyError):
        return []


class _Book:
    def __init__(
        self, path: Path, manifest: Manifest, rates: Rates, meter: Meter, earlier: list[dict[str, Any]]
    ) -> None:
        self.path, self.manifest, self.rates, self.meter, self.earlier = path, manifest, rates, meter, earlier
        self.began, self.clock, self.busy = time.time(), time.monotonic(), time.process_time()
        self.hardware = hardware()
        self.done = False

    def keep(self, stop: threading.Event, every: float) -> None:
        """Renew the file until `stop`."""
        while not stop.wait(every):
            self.write()

    def start(self) -> dict[str, Any]:
        """This start's line."""
        seconds, energy = time.monotonic() - self.clock, self.meter.read()
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began)),
            "seconds": round(seconds, 1),
            "cpu_hours": round((time.process_time() - self.busy) / 3600, 6),
            "gpu_hours": round(seconds / 3600 * self.hardware["gpus"], 6),
            "price": None if self.rates.price_per_hour is None
            else round(seconds / 3600 * self.rates.price_per_hour, 6),
            "energy_kwh": energy.kwh,
            "co2_kg": energy.co2_kg,
            "energy_by": energy.how,
            "commit": self.manifest.commit,
        }  # fmt: skip

    def write(self) -> None:
        """The whole book, or the old one."""
        starts = [*self.earlier, self.start()]
        manifest = self.manifest
        write_json(
            self.path,
            {
                "stage": manifest.stage,
                "fingerprint": manifest.fingerprint,
                "finished": self.done,
                "tokens": manifest.tokens,
                **total(starts),
                "rates": asdict(self.rates),
                "hardware": self.hardware,
                "versions": manifest.versions,
                "commit": manifest.commit,
                "data": manifest.extra.get("hashes", {}),
                "starts": starts,
            },
        )


SUMMED = ("seconds", "cpu_hours", "gpu_hours", "price", "energy_kwh", "co2_kg")


def total(starts: list[dict[str, Any]]) -> dict[str, float | None]:
    """Sums over the starts; None where one start did not know."""
    found: dict[str, float | None] = {}
    for name in SUMMED:
        values = [start[name] for start in starts]
        found[name] = None if None in values else round(sum(values), 9)
    return found


def hardware() -> dict[str, Any]:
    """The machine, in words a table can hold."""
    import torch

    gpus = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    used = min(len(gpus), processes())
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "gpus": used,
        "gpu": gpus[0] if used else None,
        "gpu_memory_gb": round(torch.cuda.get_device_properties(0).total_memory / 2**30) if used else None,
        "processes": processes(),
    }
