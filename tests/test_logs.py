"""No identifier reaches the log, whether in a message, its arguments or a traceback."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080",
        "http://localhost:11434",
        "https://localhost",
        "http://[::1]:8000",
        "http://10.0.0.7:8000",
        "http://192.168.1.20:3128",
        "http://172.16.0.1",
        "https://172.31.255.254:65535",
    ],
)
def test_addresses_of_this_machine_and_a_private_network_stay(address: str) -> None:
    for said in (f"v at {address}: no connection", f"({address}/v1/chat)", f"{address}.", f"see {address}"):
        assert line(said).endswith(said)


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("http://09123456789 is not there", "09123456789"),
        ("http://09123456789:8080/", "09123456789"),
        ("https://ali-rezaei.blogfa.com/post/1", "ali-rezaei"),
        ("http://ali.rezaei@gmail.com", "ali.rezaei"),
        ("https://api.example.com:443/v1", "example"),
        ("http://8.8.8.8:53", "8.8.8.8"),
        ("http://172.32.0.1/", "172.32"),
        ("http://10.912.345.678/", "912"),
        ("http://localhost.ali-rezaei.ir/", "ali-rezaei"),
        ("http://127.0.0.1.ali-rezaei.ir/", "ali-rezaei"),
        ("http://localhost-ali.ir", "ali"),
        ("http://localhost:8080/call/09123456789", "09123456789"),
        ("http://127.0.0.1:091234567890", "912345"),
    ],
)
def test_other_addresses_are_scrubbed(said: str, secret: str) -> None:
    told = line(f"cannot reach {said}")
    assert secret not in told
    assert "[" in told, "a placeholder says that something stood here"


@pytest.mark.parametrize(
    "said",
    [
        "http://user:geheim@proxy:3128",
        "http://user:geheim@127.0.0.1:3128",
        "http://geheim@localhost:3128/x",
        "http://localhost:geheim@proxy/",
        "http://localhost:80:geheim@proxy/",
        "http://localhost:!geheim@proxy/",
        "http://127.0.0.1:8080@geheim@proxy/",
        "http://localhost'geheim@proxy/",
        'http://localhost"geheim@proxy/',
        f"http://localhost;{'x' * 1000}geheim@proxy/",
        "https://user:ge@geheim@10.0.0.1/",
        "https://user:geheim@10.0.0.1/",
        "HTTP://user:geheim@proxy.example.com",
        "redis://:geheim@localhost:6379/0",
        "postgresql://user:geheim@db/name",
        "socks5h://user:geheim@10.0.0.1:1080",
        "user:geheim@proxy:3128",
        "proxy=user:geheim@[::1]:3128",
    ],
)
def test_a_password_is_never_written(said: str) -> None:
    for told in (
        line(f"via {said}: refused"),
        line("via %r", said),
        line("it broke", error=OSError(f"proxy '{said}'")),
    ):
        assert "geheim" not in told
        assert "user" not in told


def test_what_is_no_password_stays() -> None:
    said = "12:30 side a: 2 mg @ bedtime, x.py:12: a@b"
    assert line(said).endswith(said)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["http://localhost", "http://localhost:1;", "http://a", "a:", "a:b@", "://", "http://10.0.0.1:1@"]
)
def test_hostile_length_takes_no_catastrophic_time(piece: str) -> None:
    line(piece * (100_000 // len(piece)))


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
