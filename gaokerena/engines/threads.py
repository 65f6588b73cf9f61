"""How many threads compute, and how they wait: both slow small models down many times when left to themselves.

`calm()` must run before torch is first imported in the process: libgomp reads its environment when it is loaded. On a
busy machine OpenMP's spinning threads slow decoding down twentyfold; sleeping ones cost a waking at every layer, which
a small model does not earn back (`enough`). Measured in docs/LOG.md; a setting the user made is left alone.
"""

from __future__ import annotations

import os


def calm() -> None:
    """Ask OpenMP's threads to sleep while they wait."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


SINGLE = 100_000_000
"""Parameters below which one thread decodes faster than two."""


def enough(parameters: int, device: str) -> int:
    """Threads a model should compute with; 0 leaves it to torch. The user's OMP_NUM_THREADS is torch's business."""
    return 1 if device == "cpu" and parameters < SINGLE and "OMP_NUM_THREADS" not in os.environ else 0
