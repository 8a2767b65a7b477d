"""The files of the dashboard, read once at start."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from fleetglass.bridge.errors import BridgeError

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}

_COMMENTS = re.compile(rb"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/[ \t]*|//[^\n]*)$", re.MULTILINE | re.DOTALL)
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
    """Return the dashboard's files by the path under which they are served.

    Raises:
        BridgeError: the dashboard is not there.
    """
    folder = _folder()
    assets = {
        "/" + path.relative_to(folder).as_posix(): _asset(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in _TYPES and path.is_file()
    }
    if "/index.html" not in assets:
        raise BridgeError(
            f"dashboard: got no index.html in {folder}, expected the page; reinstall fleetglass"
        )
    assets["/"] = assets["/index.html"]
    return assets


def without_comments(module: bytes) -> bytes:
    """Return a module less the comments that fill lines of their own; every line keeps its number."""
    return _COMMENTS.sub(lambda comment: b"\n" * comment[0].count(b"\n"), module)


def _folder() -> Path:
    here = Path(__file__).resolve().parent
    installed = here / "page"
    return installed if installed.is_dir() else here.parents[2] / "dashboard"


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    if path.suffix == ".js" and not _is_vendored(path):
        body = without_comments(body)  # types and reasons: a third of what a browser would have to load
    compressed = None if path.suffix in {".woff2", ".png"} else gzip.compress(body, 9, mtime=0)
    return Asset(
        body=body,
        compressed=compressed if compressed is not None and len(compressed) < len(body) else None,
        content_type=_TYPES[path.suffix],
        cache_control=_cache_control(path),
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:20]}"',
    )


def _cache_control(path: Path) -> str:
    if _is_vendored(path):
        return "public, max-age=31536000, immutable"
    if path.suffix in {".woff2", ".png", ".svg"}:
        return "public, max-age=86400"
    # Modules import each other by name: a page of two versions must not come about.
    return "no-cache"


def _is_vendored(path: Path) -> bool:
    return _VERSION.search(path.parent.name) is not None
