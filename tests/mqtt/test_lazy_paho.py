import subprocess
import sys

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
