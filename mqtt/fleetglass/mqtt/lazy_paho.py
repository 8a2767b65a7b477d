"""paho's client, imported without what only TLS, WebSockets and proxies need: 7 MiB of resident memory.

paho imports these modules first of all, and a plain connection never uses them. Each is imported when
something of it is used.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType


class _Unraised(Exception):  # noqa: N818 - never raised, only named
    """Placeholder for the exception classes of modules that are not loaded."""


class _Deferred(ModuleType):
    """Stands for a module, and imports it when something of it is used."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name.endswith("Error") and self.__name__ not in sys.modules:
            return _Unraised
        return getattr(importlib.import_module(self.__name__), name)


@contextlib.contextmanager
def deferred(*names: str) -> Iterator[None]:
    """Let imports of these modules within the block give stand-ins, where they are not loaded already."""
    stand_ins = {name: _Deferred(name) for name in names if name not in sys.modules}
    sys.modules |= stand_ins
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
            package, _, last = name.rpartition(".")
            if package in sys.modules:
                # What said `import a.b` asks the package for it.
                setattr(sys.modules[package], last, stand_in)


with deferred("ssl", "hashlib", "urllib.request"):
    from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo

__all__ = ["Client", "MQTTMessage", "MQTTMessageInfo"]
