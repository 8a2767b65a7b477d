import json
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PIP_AUDIT = REPOSITORY / ".venv-audit" / "bin" / "pip-audit"


@pytest.mark.slow  # it asks a service on the internet, by a program in an environment of its own
def test_nothing_installed_has_a_known_hole(tmp_path: Path) -> None:
    """No advisory names a version that is locked. Skipped where nobody can be asked for advisories."""
    if not PIP_AUDIT.exists():
        pytest.skip("needs pip-audit: scripts/install-pip-audit")
    answer = tmp_path / "audit.json"
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    lock = REPOSITORY / "requirements" / "run.txt"
    done = subprocess.run(
        [str(PIP_AUDIT), *options, "--timeout", "5", "--output", str(answer), "--requirement", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    if not answer.exists():
        pytest.skip(f"needs the service of advisories: {done.stderr.strip().splitlines()[-1][:200]}")
    told = json.loads(answer.read_text("utf-8"))["dependencies"]
    asked = [one for one in told if "skip_reason" not in one]
    if len(asked) < len(told) / 2:
        pytest.skip(f"needs the service of advisories: it told nothing of {len(told) - len(asked)} packages")
    assert {one["name"]: one["vulns"] for one in asked if one["vulns"]} == {}
