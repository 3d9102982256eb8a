"""The code digest decides which edit of the project makes which results stale.

Snakemake never looks into the modules that a stage imports. Every rule therefore carries a digest of the stage's import
closure as a parameter: a change of the code itself reruns the rule; a comment, a docstring, the text of an error or the
description of a setting does not. Registries grow, so they hold names only and are
left out of closures; the modules that the settings choose from them are digested as roots of their own.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MESSAGES = ("InputError", "ValueError", "ArgumentTypeError", "Problem", "say")
"""Calls whose arguments are texts for people; so are those of a `print` to the log. Statements of such a call alone
are left out."""
DESCRIPTIONS = (
    "description",
    "json_schema_extra",
    "help",
    "epilog",
    "desc",
    "unit",
    "kind",
    "what",
    "fix",
    "for_ids",
    "for_others",
)
"""Keywords of any call that are texts for people."""
PACKAGES = ("esl", "miniature")
LEFT_OUT = ("registry", "errors", "notes")
"""Modules of these names decide no result: registries hold names, from which the settings choose modules (see
``digest_roots.py``); the others hold texts for people."""


@cache
def code_digest(*roots: str, facts: str = "") -> str:
    """A digest of modules and of every module of this project that they import, directly or not.

    ``roots`` are dotted names; it is taken over syntax trees as ``essence`` leaves them, and over ``facts``, what a
    registry says of a module that the settings choose.
    """
    digest = hashlib.sha256(facts.encode())
    for name, tree in sorted(import_closure(roots).items()):
        digest.update(f"{name}\n{_dump(tree)}\n".encode())
    return digest.hexdigest()[:16]


def import_closure(roots: Iterable[str]) -> dict[str, ast.Module]:
    """Module name -> essence of ``roots`` and of everything of this project that they reach by imports."""
    closure: dict[str, ast.Module] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in closure or (file := _module_file(name)) is None:
            continue
        if name.rpartition(".")[2] in LEFT_OUT:  # its package is imported all the same
            waiting.append(name.rpartition(".")[0])
            continue
        closure[name] = _essence_of(file)
        waiting += [name.rpartition(".")[0], *_imports(closure[name])]
    return closure


def essence(tree: ast.Module) -> ast.Module:
    """The tree without docstrings, messages, and descriptions of settings and flags: they change no result.

    >>> edited = essence(ast.parse('raise ValueError("a")')), essence(ast.parse('raise ValueError("b", 1)'))
    >>> ast.dump(edited[0]) == ast.dump(edited[1])
    True
    """
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [item for item in body if not _is_text(item)]  # type: ignore[attr-defined]
        if isinstance(node, ast.Raise):
            node.cause = None
        if isinstance(node, ast.Call):
            if _is_message(node):
                node.args, node.keywords = [], []
            node.keywords = [word for word in node.keywords if word.arg not in DESCRIPTIONS]
    return tree


def _is_message(call: ast.Call) -> bool:
    """Whether a call makes an exception or a text for people, or prints one to the log."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in MESSAGES or (name == "print" and any(word.arg == "file" for word in call.keywords))


@cache
def _essence_of(file: Path) -> ast.Module:
    return essence(ast.parse(file.read_text(encoding="utf-8")))


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is only a string, such as a docstring, or a line for the log."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    return (isinstance(value, ast.Constant) and isinstance(value.value, str)) or (
        isinstance(value, ast.Call) and _is_message(value)
    )


@cache
def _dump(tree: ast.Module) -> str:
    """The text of a tree; most modules lie in several closures."""
    return ast.dump(tree)


@cache
def _imports(tree: ast.Module) -> list[str]:
    """Every name that may be a module in the import statements of a tree."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _module_file(name: str) -> Path | None:
    """The file of a module of this project, or ``None``."""
    if name.split(".")[0] not in PACKAGES:
        return None
    path = PROJECT / name.replace(".", "/")
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)
