import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_IMPORTS = {
    "__future__",
    "base64",
    "collections",
    "collections.abc",
    "enums",
    "errno",
    "hashlib",
    "logging",
    "matcher",
    "os",
    "paho.mqtt",
    "paho.mqtt.exception",
    "paho.mqtt.packettypes",
    "platform",
    "properties",
    "reasoncodes",
    "select",
    "socket",
    "ssl",
    "string",
    "struct",
    "subscribeoptions",
    "threading",
    "time",
    "typing",
    "typing_extensions",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "warnings",
    "dns.resolver",  # where it is installed
    "socks",  # as above
}

# Each runs in a process of its own: what this one has loaded cannot be deferred any more.
_PLAIN = """
import socket, sys
from fleetglass.mqtt.lazy_paho import Client
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
client = Client(CallbackAPIVersion.VERSION2)
near, far = socket.socketpair()
near.setblocking(False)
client._sock = near
try:
    client._sock_recv(1)
except BlockingIOError:
    print("nothing yet", "ssl" in sys.modules, "hashlib" in sys.modules)
near.close(); far.close()
"""
_TLS = """
from fleetglass.mqtt.lazy_paho import Client
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
client = Client(CallbackAPIVersion.VERSION2)
client.tls_set_context()
import hashlib, ssl, urllib.request
print(type(client._ssl_context) is ssl.SSLContext, paho.ssl.SSLWantReadError is ssl.SSLWantReadError)
print(paho.hashlib.sha256 is hashlib.sha256, urllib.request.getproxies.__module__)
"""


def answer(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    ).stdout


def test_a_plain_connection_loads_no_tls() -> None:
    """Reading from a socket that has nothing yet works, and still nothing of TLS is loaded."""
    assert answer(_PLAIN) == "nothing yet False False\n"


def test_what_is_used_is_loaded() -> None:
    """A connection by TLS has the real modules, and so has everyone who imports them afterwards."""
    assert answer(_TLS) == "True True\nTrue urllib.request\n"


def test_paho_imports_what_it_did() -> None:
    """A version that imports something else fails here, and not as a crash or as memory at a user's."""
    spec = find_spec("paho.mqtt.client")
    assert spec is not None
    assert spec.origin is not None
    imported: set[str] = set()
    for node in _outside_functions(ast.parse(Path(spec.origin).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert imported == _IMPORTS


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _outside_functions(child)
