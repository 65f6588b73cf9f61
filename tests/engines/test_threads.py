"""How many threads a model computes with: one when it is small, on a CPU, and nobody said otherwise."""

from __future__ import annotations

import pytest

from gaokerena.engines.threads import SINGLE, enough


@pytest.mark.parametrize(
    ("parameters", "device", "threads"),
    [(15_000_000, "cpu", 1), (SINGLE, "cpu", 0), (8_000_000_000, "cpu", 0), (15_000_000, "cuda", 0)],
)
def test_a_small_model_on_a_cpu_takes_one_thread(
    parameters: int, device: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert enough(parameters, device) == threads


def test_what_the_user_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert enough(15_000_000, "cpu") == 0
