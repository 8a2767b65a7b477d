"""From sample to screen: how old a sample is when the browser shows it.

Runs a real mosquitto, agent, bridge and Chromium on this machine. The age is the browser's clock less
the sample's `time` (the same clock here), read in the first animation frame after the sample came.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.chromium import running_chromium
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.waiting import wait_for

RECORD_AGES = """
window.received = [];
window.shown = [];
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      if (message.type !== "live" || !message.samples.cpu) return;
      const sampled = message.samples.cpu.time * 1000;
      received.push(performance.timeOrigin + performance.now() - sampled);
      requestAnimationFrame(() => shown.push(performance.timeOrigin + performance.now() - sampled));
    });
  }
};
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ages = _measure(Path(folder), options.seconds)
    figures = {name: _figures(values) for name, values in ages.items()}
    for name, row in figures.items():
        print(f"{name:<18}" + "".join(f"{key} {value:>8}   " for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def _measure(folder: Path, seconds: int) -> dict[str, list[float]]:
    broker = Mosquitto(folder).start()
    port = free_port()
    try:
        with (
            Fleetglass("agent", "--broker", broker.url, "--host-id", "bench", home=folder),
            Fleetglass("bridge", "--broker", broker.url, "--port", str(port), home=folder),
            running_chromium() as browser,
        ):
            address = wait_for_page(port)
            page = browser.new_page()
            page.add_init_script(RECORD_AGES)
            page.goto(f"{address}#/host/bench")
            wait_for(lambda: page.evaluate("shown.length") > 2, "samples are shown")
            page.evaluate("received.length = 0, shown.length = 0")
            page.wait_for_timeout(seconds * 1000)
            return {
                "received (ms)": page.evaluate("received"),
                "on screen (ms)": page.evaluate("shown"),
            }
    finally:
        broker.kill()


def _figures(ages: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(ages, n=20, method="inclusive")
    return {
        "samples": len(ages),
        "min": round(min(ages), 1),
        "p50": round(statistics.median(ages), 1),
        "p95": round(cuts[-1], 1),
        "max": round(max(ages), 1),
    }


if __name__ == "__main__":
    main()
