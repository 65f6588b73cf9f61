"""Lines at the end of a file, read while somebody writes; torn lines and failing disks are in test_outbox."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gaokerena.append_only import Appender, whole_lines


def test_a_line_that_ends_while_it_is_read_is_left_for_the_next_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file object that met the end of a file goes on when the file has grown, in the middle of the line."""
    path = tmp_path / "rows"
    path.write_bytes(b"one\ntw")

    class Growing(io.FileIO):
        """The rest of the second line arrives just after its beginning was read."""

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            count = super().readinto(buffer) or 0
            if not count and path.read_bytes().endswith(b"tw"):
                with path.open("ab") as file:
                    file.write(b"o\nthree\n")
            return count

    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, mode: io.BufferedReader(Growing(self)) if mode == "rb" else opened(self, mode)
    )
    assert list(whole_lines(path)) == [b"one\n"]
    assert list(whole_lines(path)) == [b"one\n", b"two\n", b"three\n"]


def test_reading_changes_nothing_and_a_file_is_made_with_its_mode(tmp_path: Path) -> None:
    with Appender(tmp_path / "rows", mode=0o600) as file:
        file.append(["one"])
        assert (tmp_path / "rows").stat().st_mode & 0o777 == 0o600
        with (tmp_path / "rows").open("ab") as other:
            other.write(b"tor")
        assert list(whole_lines(tmp_path / "rows")) == [b"one\n"]
        assert (tmp_path / "rows").read_bytes() == b"one\ntor"
        file.append(["two"])
    assert (tmp_path / "rows").read_bytes() == b"one\ntwo\n"
