"""Every message that a user can be shown, read from the source: errors, warnings, notices of the page.

What is only known at run time is written as `…`.
"""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

PARTS = ("agent", "bridge", "cli", "client", "fleet", "history", "mqtt", "wire")
LOGGED = {"warning", "error", "exception", "critical", "log", "tell"}
OTHER_ERRORS = {"Refused", "Unreachable", "Error", "Notice", "kind"}
"""What carries a message and has no name that ends with `Error`; `kind` is one of two errors."""
SAYS = re.compile(
    r"""(?:\b(?:text|words|why|what)\s*[:=]|\bnotice\(|\?|:)\s*(?:`(?P<a>[^`]{12,})`|"(?P<b>[A-Z][^"]{11,})")""",
)


def messages(repository: Path) -> dict[str, str]:
    """Return every message, and where it is said."""
    found: dict[str, str] = {}
    for part in PARTS:
        for path in sorted((repository / part).rglob("*.py")):
            for line, text in of_module(ast.parse(path.read_text("utf-8"))):
                found.setdefault(text, f"{path.relative_to(repository)}:{line}")
    return found


def notices(repository: Path) -> dict[str, str]:
    """Return what the bar of the page can say."""
    found = {}
    for name in ("status-bar.js", "main.js", "moment.js", "token-form.js"):
        text = (repository / "dashboard" / "src" / name).read_text("utf-8")
        for match in SAYS.finditer(text):
            words = match["a"] or match["b"]
            if re.search(r"[a-z]{3,} [a-z$]", words):
                found[re.sub(r"\$\{[^}]*\}", "…", words)] = name
    return found


def of_module(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return the messages of a module, with their lines."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            texts = _assigned(function)
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    for said in _said(node):
                        for text in _skeletons(said, texts):
                            if re.search(r"[A-Za-z]{4,}", text):
                                yield node.lineno, text


def _said(call: ast.Call) -> list[ast.expr]:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if isinstance(function, ast.Attribute) and name in LOGGED:
        return call.args[1:2] if name in {"log", "tell"} else call.args[:1]
    if name in {"Error", "Notice"}:
        return call.args[1:2]
    if name in OTHER_ERRORS or (name.endswith("Error") and not hasattr(builtins, name)):
        return call.args[:1]
    if name == "print" and any(word.arg == "file" for word in call.keywords):
        return call.args[:1]
    return []


def _assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def _skeletons(said: ast.expr, texts: dict[str, list[ast.expr]]) -> list[str]:
    if isinstance(said, ast.Name):
        return [text for value in texts.get(said.id, []) for text in _skeletons(value, {})]
    if isinstance(said, ast.IfExp):
        return _skeletons(said.body, texts) + _skeletons(said.orelse, texts)
    if (text := _text(said)) is None:
        return []
    text = re.sub(r"%[-+.\d]*[a-z]", "…", text).replace("%%", "%")
    return [re.sub(r"…+", "…", " ".join(text.split()))]


def _text(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (_text(left) or "…") + (_text(right) or "…")
        case _:
            return None
