"""Which process of a run this is: accelerate's launcher starts the same command once for each GPU.

    if main_process(): write(...)

Only the main process writes files; the others compute. Without a launcher there is one process, the main one.
"""

from __future__ import annotations

import os


def main_process() -> bool:
    """Whether this process keeps the books. The launcher sets RANK before Python starts."""
    return int(os.environ.get("RANK", "0")) == 0


def processes() -> int:
    """How many processes run together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def wait() -> None:
    """Wait until every process has come here; nothing to wait for without a launcher."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
