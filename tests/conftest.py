"""For all tests: calm threads, and no test skipped in CI: there a missing part is a failure."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from gaokerena.engines.threads import calm

calm()

_IN_CI = os.environ.get("CI") == "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself in CI has failed."""
    report = yield
    if _IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"{item.nodeid} must not be skipped in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself in CI has failed."""
    report = yield
    if _IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"{report.nodeid} must not be skipped in CI: {report.longrepr}"
    return report
