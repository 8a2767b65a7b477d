"""The files of the dashboard, read once at start."""

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from fleetglass.bridge.page.bundle import bundle
from fleetglass.wire.errors import BridgeError

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
}
_MODULES = "/src/"
_MAIN = "/src/main.js"
_MAP = "/src/main.js.map"
_VERSION = re.compile(r"-\d+(\.\d+)+$")
"""In the name of a vendored folder: what is in it never changes."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    compressed: bytes | None
    """The body by gzip, where that is smaller."""
    content_type: str
    cache_control: str
    etag: str
    """Weak, as it stands for both forms of the body."""

    def is_known(self, if_none_match: str) -> bool:
        """Whether a browser that sends this header has the file as it is."""
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or self.etag.removeprefix("W/") in tags


def read_page() -> dict[str, Asset]:
    """Return the dashboard's files by the path under which they are served, its modules as one.

    Raises:
        BridgeError: the dashboard is not there, or its modules cannot be bundled.
    """
    folder = _folder()
    files = {
        "/" + path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in _TYPES and path.is_file()
    }
    if "/index.html" not in files:
        raise BridgeError(
            f"dashboard: got no index.html in {folder}, expected the page; reinstall fleetglass"
        )
    modules = {path: files.pop(path).decode() for path in [*files] if path.startswith(_MODULES)}
    bundled = bundle(modules, _MAIN)
    files[_MAIN] = f"{bundled.code}//# sourceMappingURL={posixpath.basename(_MAP)}\n".encode()
    files[_MAP] = bundled.source_map.encode()
    assets = {path: _asset(path, body) for path, body in files.items()}
    assets["/"] = assets["/index.html"]
    return assets


def _folder() -> Path:
    here = Path(__file__).resolve().parent
    installed = here / "dashboard"
    return installed if installed.is_dir() else here.parents[3] / "dashboard"


def _asset(path: str, body: bytes) -> Asset:
    suffix = posixpath.splitext(path)[1]
    compressed = None if suffix in {".woff2", ".png"} else gzip.compress(body, 9, mtime=0)
    return Asset(
        body=body,
        compressed=compressed if compressed is not None and len(compressed) < len(body) else None,
        content_type=_TYPES[suffix],
        cache_control=_cache_control(path),
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:20]}"',
    )


def _cache_control(path: str) -> str:
    if _VERSION.search(posixpath.dirname(path)):
        return "public, max-age=31536000, immutable"
    if path.endswith((".woff2", ".png", ".svg")):
        return "public, max-age=86400"
    # Page, styles and code belong together: a page of two versions must not come about.
    return "no-cache"
