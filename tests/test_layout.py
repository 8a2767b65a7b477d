"""The layout of the project, which a newcomer and every tool may rely on."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "wire": set[str](),
    "mqtt": {"wire"},
    "history": {"wire"},
    "fleet": {"wire", "history"},
    "agent": {"wire", "mqtt"},
    "bridge": {"wire", "mqtt", "fleet", "history"},
    "client": {"wire", "mqtt", "fleet", "history"},
    "cli": {"wire", "mqtt", "fleet", "history", "agent", "bridge", "client"},
}
"""For each room, the other rooms whose modules it may import."""


def test_no_root_claims_the_namespace() -> None:
    """An `__init__.py` in any of the `fleetglass` folders would hide all the others."""
    assert not list(REPOSITORY.glob("*/fleetglass/__init__.py"))


def test_every_room_is_in_the_table() -> None:
    """The table names exactly the rooms that exist."""
    assert {path.parent.name for path in REPOSITORY.glob("*/fleetglass")} == MAY_IMPORT.keys()


def test_rooms_import_only_what_the_table_allows() -> None:
    """A room imports itself and the rooms that the table lists, also inside functions."""
    wrong = [
        f"{module} imports {imported}"
        for module, tree in _modules().items()
        for imported in _imports(tree)
        if _room(imported) not in {_room(module), *MAY_IMPORT[_room(module)]}
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Importing never leads back to where it began, also through imports inside functions."""
    modules = _modules()
    graph = {name: {_known(one, modules) for one in _imports(tree)} for name, tree in modules.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for imported in graph[name] - {name}:
                visit(imported, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_no_two_classes_share_a_name() -> None:
    """A class is found by its name alone."""
    places = defaultdict[str, list[str]](list)
    for module, tree in _modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def _modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted(REPOSITORY.glob("*/fleetglass/**/*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts[1:]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fleetglass."):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("fleetglass."))


def _known(imported: str, modules: dict[str, ast.Module]) -> str:
    return imported if imported in modules else imported.rpartition(".")[0]


def _room(module: str) -> str:
    return module.split(".")[1]
