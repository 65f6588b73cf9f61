"""Keep OpenMP from spinning: on a busy machine its waiting threads slow decoding down twentyfold.

`calm()` must run before torch is first imported in the process: libgomp reads its environment when it is loaded.
Measured in docs/LOG.md; a setting the user made is left alone.
"""

from __future__ import annotations

import os


def calm() -> None:
    """Ask OpenMP's threads to sleep while they wait."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
