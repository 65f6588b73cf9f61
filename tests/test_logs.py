"""No identifier reaches the log, whether in a message, its arguments or a traceback."""

from __future__ import annotations

import logging
import subprocess
import sys

from gaokerena.logs import ScrubbingFormatter

ID, MOBILE = "۰۴۹۹۳۷۰۸۹۹", "0912 345 6789"


def line(message: str, *arguments: object, error: Exception | None = None) -> str:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("gaokerena.x", logging.ERROR, "x.py", 1, message, arguments, info)
    return ScrubbingFormatter("%(levelname)s %(name)s: %(message)s").format(record)


def test_identifiers_in_arguments_are_taken_out() -> None:
    told = line("the question %r broke", f"کد ملی من {ID} است و شماره‌ام {MOBILE}")
    assert ID not in told
    assert MOBILE not in told
    assert told.startswith("ERROR gaokerena.x: the question")


def test_identifiers_in_a_traceback_are_taken_out() -> None:
    told = line("it broke", error=ValueError(f"cannot read {MOBILE}"))
    assert MOBILE not in told
    assert "ValueError: cannot read" in told


def test_addresses_of_servers_stay() -> None:
    assert "http://127.0.0.1:8080" in line("v at http://127.0.0.1:8080: no connection")


def test_a_program_logs_scrubbed_lines_with_the_time() -> None:
    said = (
        "import logging; from gaokerena.logs import set_up; set_up();"
        f"logging.getLogger('any').warning('call %s', {MOBILE!r}); logging.getLogger('any').info('quiet')"
    )
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert "WARNING any: call" in found.stderr
    assert MOBILE not in found.stderr
    assert "quiet" not in found.stderr
    assert found.stderr[:4].isdecimal(), "the year"
