"""A function of the wheel is replaced wherever it is held, and a changed wheel is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from annotation.server.inside.wrap import Function, WheelChangedError, wrap


def stock(db: str, event: str) -> str:
    return f"{db} {event}"


def around(old: Function) -> Function:
    return lambda *args: f"new {old(*args)}"


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType, ModuleType]]:
    """Two modules of argilla-server that hold one function, under two names, and one of another package."""
    modules = ModuleType("argilla_server.made"), ModuleType("argilla_server.by_name"), ModuleType("other_server")
    for module in modules:
        monkeypatch.setitem(sys.modules, module.__name__, module)
    made, by_name, other = modules
    vars(made)["build"] = vars(by_name)["build_v1"] = vars(other)["build"] = stock
    return made, by_name, other


def test_every_module_of_the_wheel_gets_the_new_one(wheel: Any) -> None:
    made, by_name, other = wheel
    wrap(made, "build", ("db", "event"), around)
    assert made.build("a", "b") == by_name.build_v1("a", "b") == "new a b"
    assert other.build("a", "b") == "a b"


@pytest.mark.parametrize("parameters", [("db",), ("event", "db"), ("db", "event", "more")])
def test_other_parameters_stop_the_start(wheel: Any, parameters: tuple[str, ...]) -> None:
    with pytest.raises(WheelChangedError, match=r"argilla_server\.made\.build takes \('db', 'event'\).*pinned release"):
        wrap(wheel[0], "build", parameters, around)
    assert wheel[0].build is stock


def test_a_function_that_is_gone_stops_the_start(wheel: Any) -> None:
    with pytest.raises(WheelChangedError, match=r"argilla_server\.made\.gone takes None"):
        wrap(wheel[0], "gone", ("db",), around)
