"""Tell somebody when a host is too busy: by a command, or by mail over STARTTLS.

python examples/alert.py --cpu 90 --command notify-send
SMTP_PASSWORD=… python examples/alert.py --smtp mail.example:587 --user me --to me@mail.example

The command gets the alert as its last argument. An alert is told once, and again after five minutes.
"""

import argparse
import contextlib
import os
import shlex
import smtplib
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any

from fleetglass.client import DEFAULT_URL, MonitoringClient

THRESHOLDS = {"cpu": 80.0, "ram": 85.0, "disk": 90.0, "gpu": 95.0}
SECTIONS = {"cpu": "processor", "ram": "memory", "disk": "disk", "gpu": "gpu"}
COOLDOWN_SECONDS = 300.0


class AlertHandler:
    """A handler that tells of each use at or above its threshold, in percent."""

    def __init__(self, tell: Callable[[str], None], thresholds: Mapping[str, float] = THRESHOLDS) -> None:
        self._tell = tell
        self._thresholds = thresholds
        self._told_at: dict[tuple[str, str], float] = {}
        self.alerts = 0

    def handle_message(self, message: Mapping[str, Any]) -> None:
        """Compare one message with the thresholds."""
        for name, threshold in self._thresholds.items():
            use = message["data"].get(SECTIONS[name], {}).get("usage_percent")
            key = message["host"], name
            if use is None or use < threshold:
                continue
            if time.monotonic() - self._told_at.get(key, -COOLDOWN_SECONDS) >= COOLDOWN_SECONDS:
                self._told_at[key] = time.monotonic()
                self.alerts += 1
                self._tell(f"{message['host']}: {name} is at {use:.0f} %, from {threshold:.0f} % on")

    def get_stats(self) -> dict[str, int]:
        """Return how many alerts were told."""
        return {"alerts": self.alerts}


def run_command(command: str, text: str) -> None:
    """Run a command with the alert as its last argument; it has half a minute."""
    subprocess.run([*shlex.split(command), text], check=True, timeout=30)


def send_mail(server: str, recipient: str, text: str, *, user: str | None, ca_file: str | None) -> None:
    """Send one mail, never in clear."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = recipient, recipient, text
    message.set_content(text)
    host, _, port = server.partition(":")
    with smtplib.SMTP(host, int(port or 587), timeout=30) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=ca_file))
        if user is not None:
            smtp.login(user, os.environ["SMTP_PASSWORD"])
        smtp.send_message(message)


def main() -> None:
    """Read the arguments, then watch until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("hosts", nargs="*", help="hosts to watch (default: the whole fleet)")
    parser.add_argument("--url", default=DEFAULT_URL)
    parser.add_argument("--duration", type=float, help="seconds (default: until Ctrl-C)")
    for name, percent in THRESHOLDS.items():
        parser.add_argument(f"--{name}", type=float, default=percent, help=f"percent (default: {percent:g})")
    parser.add_argument("--command", help="what to run (default: print)")
    parser.add_argument("--smtp", metavar="HOST:PORT")
    parser.add_argument("--user")
    parser.add_argument("--to")
    parser.add_argument("--smtp-ca", help="certificates to trust (default: the system's)")
    arguments = parser.parse_intermixed_args()

    def tell(text: str) -> None:
        if arguments.smtp:
            send_mail(arguments.smtp, arguments.to, text, user=arguments.user, ca_file=arguments.smtp_ca)
        elif arguments.command:
            run_command(arguments.command, text)
        else:
            print(text, flush=True)

    alerts = AlertHandler(tell, {name: getattr(arguments, name) for name in THRESHOLDS})
    with MonitoringClient(
        arguments.url, hosts=arguments.hosts, sync_mode=True, on_error=lambda error: print("error:", error)
    ) as client:
        client.add_custom_handler("monitoring_data", alerts)
        client.start()
        with contextlib.suppress(KeyboardInterrupt):
            client.wait(arguments.duration)


if __name__ == "__main__":
    main()
