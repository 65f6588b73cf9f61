"""A file that an option names, read as text: what is wrong with it is said with the option, the path and the next step.

    for number, line in enumerate(lines_of(path, "--questions"), 1): ...

Not covered: what a line holds.
"""

from __future__ import annotations

from pathlib import Path

from training.errors import TrainingError


def lines_of(path: Path, option: str) -> list[str]:
    """The lines of a JSONL file, blank ones included. Raises TrainingError."""
    return text_of(bytes_of(path, option), path, option).split("\n")


def bytes_of(path: Path, option: str) -> bytes:
    """What the file holds. Raises TrainingError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingError(f"{option} {path}: {error.strerror}; name a JSONL file that can be read") from None


def text_of(data: bytes, path: Path, option: str) -> str:
    """`data`, which stood in `path`, as text. Raises TrainingError."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TrainingError(f"{option} {path}: not UTF-8 at byte {error.start}; name a JSONL file") from None
