"""The code behind a stage, as a hash: a stage whose code changed is not finished, whatever its recipe says.

    code_hash("training.pairs")

Hashed are the named modules and every module of ours they import, as syntax without comments, docstrings and layout.
Left out is what keeps the books or runs models for visitors (`ASIDE`): it does not shape what a stage writes.

Not covered: the versions of the libraries (the manifest names them).
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = ("training.", "gaokerena.")
ASIDE = ("training.manifest", "training.errors", "training.clock", "training.recipe", "training.code",
         "training.ledger", "training.energy", "training.ranks",
         "gaokerena.engines", "gaokerena.files")  # fmt: skip
"""Prefixes of module names. The recipe's schema is left out because a recipe is hashed with all its values."""


def code_hash(*modules: str, functions: tuple[Callable[..., object], ...] = (), root: Path = ROOT) -> str:
    """Sixteen hex digits of `modules`, what they import of ours, and single `functions` of other modules."""
    digest = hashlib.sha256()
    for name in sorted(closure(modules, root)):
        digest.update(f"{name} {_syntax(_path(name, root).read_text('utf-8'))}\n".encode())
    for function in functions:
        digest.update(f"{function.__name__} {_syntax(textwrap.dedent(inspect.getsource(function)))}\n".encode())
    return digest.hexdigest()[:16]


def closure(modules: tuple[str, ...], root: Path = ROOT) -> set[str]:
    """`modules` and every module of ours that they import, directly or not, but for those of `ASIDE`."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _imports(name, root) if not other.startswith(ASIDE)]
    return found


def _path(name: str, root: Path) -> Path:
    return root / (name.replace(".", "/") + ".py")


def _imports(name: str, root: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(_path(name, root).read_text("utf-8"))):
        named: list[str] = []
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:  # `from training import sources` names a module too
            named = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (one for one in named if one.startswith(OURS) and _path(one, root).exists())


class _Bare(ast.NodeTransformer):
    """Takes out strings that stand alone: docstrings of modules, functions and values."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if alone else node


def _syntax(source: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(source)))
