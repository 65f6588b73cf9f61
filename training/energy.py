"""Energy and CO2 of a running process, by codecarbon without a network.

    with metered("CAN") as meter:
        ...
        meter.read()          # Energy(kwh=0.0012, co2_kg=0.0002, how="...")

A GPU's power is read from its driver; a processor's from RAPL where the machine allows it, else codecarbon estimates it
from the load, which is said in `how`. CO2 is energy times the country's mix as codecarbon ships it; without a country
there is no CO2. Only this process's share of the processor and memory is counted, as the machine may be shared.

Not covered: cooling and losses of the building, making the machine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from training.errors import TrainingError

_ANY = "CAN"
"""codecarbon needs a country; where none was named its CO2 is thrown away."""


ESTIMATED = "estimated from its load"


@dataclass(frozen=True)
class Energy:
    """Kilowatt-hours (None where nothing measures), kilograms of CO2 (None without a country), and how found."""

    kwh: float | None
    co2_kg: float | None
    how: str


class Meter(Protocol):
    """Something that can be read at any moment."""

    def read(self) -> Energy:
        """The energy since the start."""


class _Unmetered:
    def read(self) -> Energy:
        return Energy(None, None, "not measured: codecarbon is not installed")


class _Kept:
    """A codecarbon output that keeps the last reading."""

    def __init__(self) -> None:
        self.total: Any = None

    def out(self, total: Any, *_: Any) -> None:
        self.total = total

    def live_out(self, total: Any, *_: Any) -> None:
        self.total = total

    def task_out(self, *_: Any) -> None:
        """Tasks are not used."""

    def exit(self) -> None:
        """Nothing to close."""


class _CodeCarbon:
    def __init__(self, tracker: Any, kept: _Kept, country: str | None) -> None:
        self.tracker, self.kept, self.country, self.running = tracker, kept, country, True

    def stop(self) -> None:
        """Read a last time; what was read stays readable."""
        self.tracker.stop()
        self.running = False

    def read(self) -> Energy:
        if self.running:
            self.tracker.flush()
        found = self.kept.total
        co2 = None if self.country is None else float(found.emissions)
        return Energy(float(found.energy_consumed), co2, self._how(found))

    def _how(self, found: Any) -> str:
        """codecarbon names what it reads: `CPU(Cpu Load)` is an estimate, `CPU(Intel RAPL)` a measurement."""
        read = " ".join(map(str, self.tracker._conf.get("hardware", [])))
        gpu = f", {found.gpu_count} x {found.gpu_model} by its driver" if found.gpu_count else ""
        kind = "measured by RAPL" if "RAPL" in read else ESTIMATED
        return f"codecarbon {found.codecarbon_version}: {found.cpu_model} {kind}{gpu}"


def check_country(country: str | None) -> None:
    """Raises TrainingError for a code codecarbon has no energy mix for; None is fine."""
    if country is None:
        return
    try:
        from codecarbon.input import DataSource
    except ImportError:
        return
    if country not in DataSource().get_global_energy_mix_data():
        raise TrainingError(f"no energy mix for the country {country!r}; give its three-letter ISO code, such as CAN")


@contextmanager
def metered(country: str | None = None) -> Iterator[Meter]:
    """A meter of what runs inside; one that knows nothing, and says so, without codecarbon."""
    try:
        from codecarbon import OfflineEmissionsTracker
    except ImportError:
        yield _Unmetered()
        return
    logging.getLogger("codecarbon").setLevel(logging.ERROR)
    kept = _Kept()
    tracker = OfflineEmissionsTracker(
        country_iso_code=country or _ANY, output_methods=[], output_handlers=[kept], log_level="error",
        tracking_mode="process", measure_power_secs=10, allow_multiple_runs=True, electricitymaps_api_token="",
    )  # fmt: skip
    tracker.start()
    meter = _CodeCarbon(tracker, kept, country)
    try:
        yield meter
    finally:
        meter.stop()
