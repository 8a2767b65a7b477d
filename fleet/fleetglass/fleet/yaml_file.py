"""Reading a YAML file that a user wrote: bounded, and without a key that is there twice."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetglass.wire.errors import ContractError

if TYPE_CHECKING:
    import yaml

MAX_FILE_BYTES = 4 * 1024 * 1024
"""20,000 hosts with 200 bytes each; to read it takes a hundred times as much memory."""


def read_yaml(path: Path, name: str) -> Any:
    """Return the content of a file, or None when it is empty. `name` begins the text of an error.

    Raises:
        ContractError: the file cannot be read or is not YAML, or a mapping has a key twice.
    """
    import yaml  # an agent without a file never loads it

    try:
        loader = _loader(_read(path, name))
        node = loader.get_single_node()
        _check_keys(node, path)
        return None if node is None else loader.construct_document(node)
    except ContractError:
        raise
    except OSError as error:
        raise ContractError(f"{name}: {error.strerror or error} ({path})") from error
    except UnicodeDecodeError as error:
        raise ContractError(f"{name}: got bytes that are not UTF-8 ({path})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise ContractError(f"{name}: {problem}, expected YAML ({path}{line})") from error
    except RecursionError as error:
        raise ContractError(f"{name}: too many levels, expected YAML ({path})") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # PyYAML lets them out for a value that its tag does not allow, such as the date 2026-02-30.
        raise ContractError(f"{name}: got a value that YAML does not allow: {error} ({path})") from error


def _read(path: Path, name: str) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ContractError(f"{name}: got more than {MAX_FILE_BYTES >> 20} MiB, expected less ({path})")
    return data.decode("utf-8")


def _loader(text: str) -> Any:
    """Return the loader of a text: with the parser in C where there is one, four times as fast.

    `yaml.CSafeLoader` would build the tree in C as well: deep nesting ends the process then, and no other
    thread runs meanwhile.
    """
    import yaml

    if not yaml.__with_libyaml__:
        return yaml.SafeLoader(text)

    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.cyaml import CParser  # type: ignore[attr-defined] # its stub hides it
    from yaml.resolver import Resolver

    class Loader(Composer, CParser, SafeConstructor, Resolver):
        def __init__(self) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

    return Loader()


def _check_keys(root: "yaml.Node | None", path: Path) -> None:
    """Refuse a key that is there twice, of which YAML would take the last without a word."""
    import yaml

    nodes = [] if root is None else [root]
    seen: set[int] = set()  # an alias may name a node that contains it
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys:
                        line = key.start_mark.line + 1
                        raise ContractError(f"{key.value}: named twice ({path}, line {line})")
                    keys.add(key.value)
                nodes.append(value)
