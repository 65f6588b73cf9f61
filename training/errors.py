"""What a training command says when it cannot go on."""

from __future__ import annotations

import errno


class TrainingError(Exception):
    """English, for developers: names the value, the place and the next step."""


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, is a disk without space; safetensors says so in words alone."""
    while error:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
