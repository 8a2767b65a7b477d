"""Hooks of MkDocs: the order of the pages, and what of the repository stands in the site beside `docs/`.

Links are written as they work in the repository. A page is in the site at its path in the repository, those
of `docs/` without it; a recipe that a page links is shown with a link to the file itself; a link to any
other file, such as source code, becomes plain text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY: Final = Path(__file__).resolve().parents[1]

NAVIGATION: Final = {
    "Get started": (
        "docs/quick-start.md",
        "docs/concepts.md",
        "docs/install/index.md",
        "docs/install/one-pi.md",
        "docs/install/ten-hosts.md",
        "docs/install/home-assistant.md",
        "docs/install/thousand-hosts.md",
        "docs/install/air-gapped.md",
        "docs/install/*.md",
        "docs/containers.md",
        "deploy/systemd/README.md",
    ),
    "Use": (
        "docs/page.md",
        "docs/groups.md",
        "docs/watch.md",
        "docs/replay.md",
        "docs/doctor.md",
        "docs/library.md",
    ),
    "Operate": (
        "docs/security.md",
        "mosquitto/README.md",
        "deploy/brokers/README.md",
        "deploy/nginx/README.md",
        "deploy/caddy/README.md",
        "docs/scale.md",
        "deploy/sites/README.md",
        "docs/performance.md",
    ),
    "Connect": ("deploy/README.md", "deploy/home-assistant/README.md", "deploy/*/README.md"),
    "Reference": ("docs/configuration.md", "docs/topics.md", "docs/values.md", "docs/protocol.md"),
    "Help": ("docs/troubleshooting.md", "docs/faq.md"),
    "Project": (
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "dashboard/README.md",
        "docs/*.md",
        "LICENSE",
    ),
}
"""The pages by section, in order. A pattern stands for those that are named nowhere else."""

LANGUAGES: Final = {
    ".conf": "nginx",
    ".json": "json",
    ".service": "ini",
    ".py": "python",
    ".sh": "sh",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
PICTURES: Final = (".png", ".svg", ".jpg", ".webp")
RECIPES: Final = ("deploy", "mosquitto", "examples", "compose.yaml", "Dockerfile")
"""Where files lie that the site shows when a page links them."""

_LINK = re.compile(r"(?<!\\)(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^[ ]*(?:```|~~~).*?^[ ]*(?:```|~~~)[ ]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Link:
    """A link of a page: where it leads in the repository, and to which heading there."""

    target: str
    anchor: str


def pages() -> dict[str, list[str]]:
    """Return the paths in the repository of all pages but the first, by section."""
    named = {path for paths in NAVIGATION.values() for path in paths} | {"docs/index.md"}
    found: dict[str, list[str]] = {}
    for section, patterns in NAVIGATION.items():
        for pattern in patterns:
            paths = sorted(path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob(pattern))
            taken = [path for path in paths if path == pattern or path not in named]
            found.setdefault(section, []).extend(taken)
    return {section: paths for section, paths in found.items() if paths}


def links(markdown: str, page: str) -> Iterator[Link]:
    """Return the relative links of a page at a path in the repository."""
    for match in _LINK.finditer(_FENCE.sub("", markdown)):
        if (link := _link(match[3], page)) is not None:
            yield link


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that there are into their order."""
    config.nav = [
        {"Home": "index.md"},
        *({section: [_address(path) for path in paths]} for section, paths in pages().items()),
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside `docs/`, the recipes they link, fonts and pictures of the dashboard."""
    shown = ["docs/index.md", *(path for paths in pages().values() for path in paths)]
    for path in shown:
        if not path.startswith("docs/"):
            text = (REPOSITORY / path).read_text("utf-8")
            content = text if path.endswith(".md") else f"# {path.capitalize()}\n\n```text\n{text}```\n"
            files.append(File.generated(config, _address(path), content=content))
    for path in sorted(recipes(shown)):
        raw = File.generated(config, path, abs_src_path=str(REPOSITORY / path))
        files.append(raw)
        if not path.endswith(PICTURES):
            files.append(File.generated(config, _recipe_address(path), content=_recipe(path)))
    for source in (REPOSITORY / "dashboard/icon.svg", *sorted(REPOSITORY.glob("dashboard/fonts/*.woff2"))):
        files.append(File.generated(config, f"theme/{source.name}", abs_src_path=str(source)))
    return files


def recipes(paths: list[str]) -> set[str]:
    """Return the files that these pages link and that the site shows."""
    found = set()
    for page in paths:
        for link in links((REPOSITORY / page).read_text("utf-8"), page):
            source = REPOSITORY / link.target
            if link.target.split("/")[0] in RECIPES and source.is_file() and source.suffix != ".md":
                found.add(link.target)
    return found


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Lead the links of a page to where things are in the site, and put drawings into it.

    As a part of the page a drawing takes its colours; as a picture, as on other sites, those of the system. A
    picture with another one beside it, named `-light`, gives way to that where the page is light.
    """
    path = repository_path(page.file.src_uri)
    if not path.endswith(".md") or not (REPOSITORY / path).exists():
        return markdown  # a recipe
    here = PurePosixPath(page.file.src_uri).parent
    if path == "docs/index.md":
        page.meta["hide"] = ["navigation"]  # which would name this page alone

    def replace(match: re.Match[str]) -> str:
        mark, text, target = match[1], match[2], match[3]
        link = _link(target, path)
        if link is None:
            return match[0]
        if mark and link.target.endswith(".svg"):
            return f"<figure>\n{(REPOSITORY / link.target).read_text('utf-8')}</figure>"
        address = _site_address(link.target, files)
        if address is None:
            if (REPOSITORY / link.target).exists():
                return text
            return match[0]  # which MkDocs warns of
        led = f"{mark}[{text}]({_relative(address, here)}{link.anchor}"
        light = re.sub(r"\.png$", "-light.png", link.target)
        if mark and light != link.target and (REPOSITORY / light).exists():
            return f"{led}#only-dark){led.replace('.png', '-light.png')}#only-light)"
        return f"{led})"

    markdown = widened(markdown)
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(replace, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(replace, markdown[end:])])


def widened(markdown: str) -> str:
    """Write lists as Python's Markdown wants them, where GitHub is content with less.

    What belongs to an item is indented by four blanks, not two or three, and an item that follows one of
    several paragraphs has an empty line before it.
    """
    lines: list[str] = []
    items: list[int] = []  # where the text of each open item begins
    fenced = loose = False
    for line in markdown.split("\n"):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        while text and not fenced and items and indent < items[-1]:
            items.pop()
        marker = None if fenced else re.match(r"(?:[-*]|\d+\.) +", text)
        if marker and loose and lines[-1]:
            lines.append("")
        blanks = 4 * len(items) + max(0, indent - (items[-1] if items else 0))
        lines.append(" " * blanks + text if text else "")
        if marker:
            items.append(indent + len(marker[0]))
        elif text.startswith(("```", "~~~")):
            fenced = not fenced
        loose = bool(items) and (loose or not text)
    return "\n".join(lines)


def repository_path(address: str) -> str:
    """Return the path in the repository of a page of the site."""
    return f"docs/{address}" if (REPOSITORY / "docs" / address).exists() else address


def _link(target: str, page: str) -> Link | None:
    if re.match(r"[a-z]+:|#|<", target):
        return None
    name, hash_sign, anchor = target.partition("#")
    return Link(normpath(f"{PurePosixPath(page).parent}/{name}"), hash_sign + anchor)


def _site_address(target: str, files: Files) -> str | None:
    if target == "README.md":
        return "index.md"
    source = REPOSITORY / target
    if source.is_dir():
        target += "/README.md"
    for address in (_recipe_address(target), _address(target)):
        if files.get_file_from_path(address) is not None:
            return address
    return None


def _address(path: str) -> str:
    return "LICENSE.md" if path == "LICENSE" else path.removeprefix("docs/")


def _recipe_address(path: str) -> str:
    return f"{path}.md"


def _recipe(path: str) -> str:
    name = PurePosixPath(path)
    language = LANGUAGES.get(name.suffix, "text")
    fence = "`" * 4
    text = (REPOSITORY / path).read_text("utf-8").rstrip()
    title = f"# `{name.name}`\n\n[The file itself]({name.name}){{ download }}"
    return f"{title}\n\n{fence}{language}\n{text}\n{fence}\n"


def _relative(address: str, folder: PurePosixPath) -> str:
    parts, base = address.split("/"), [part for part in folder.parts if part != "."]
    while base and len(parts) > 1 and parts[0] == base[0]:
        parts, base = parts[1:], base[1:]
    return "/".join([".."] * len(base) + parts)
