"""Programs of JavaScript for tests: the Node.js that Playwright brings, and packages of npm."""

import os
import subprocess
from pathlib import Path

import playwright

REPOSITORY = Path(__file__).parents[2]
PACKAGES = REPOSITORY / "tests" / "dashboard" / "node_modules"
NO_PACKAGES = "needs npm's TypeScript, Biome and axe-core: scripts/install-npm-packages tests/dashboard"
NODE = Path(playwright.__file__).parent / "driver" / ("node.exe" if os.name == "nt" else "node")


def has_packages() -> bool:
    """Whether `scripts/install-npm-packages` has done its work."""
    return (PACKAGES / "complete").exists()


def run_node(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Node.js in the repository, to its end; what it says on either output is in `stdout`."""
    return subprocess.run(
        [NODE, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=50,
        check=False,
    )
