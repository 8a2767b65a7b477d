import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser

from mkdocs_hooks import REPOSITORY, links, pages, widened

PAGES = ["docs/index.md", *(path for paths in pages().values() for path in paths)]


class Document(HTMLParser):
    """What a page of the site leads to, what it loads, and which places in it have a name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take in one tag."""
        given = {name: value or "" for name, value in attributes}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif "src" in given or (tag == "link" and "href" in given):
            self.loaded.append(given.get("src") or given["href"])


@pytest.fixture(scope="module")
def documents(site: Path) -> dict[Path, Document]:
    return {path: Document(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_in_the_site(documents: dict[Path, Document], site: Path) -> None:
    """Each page of the repository for readers is built, and the first page leads to it."""
    told = {urlsplit(link).path for link in documents[site / "index.html"].links}
    for page in PAGES:
        name = page.removeprefix("docs/").removesuffix(".md")
        address = re.sub(r"README$", "index", name) + ".html"
        assert site / address in documents, page
        assert address in told, page
    written = {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("d*/**/*.md")}
    unread = {path for path in written if "node_modules" in path or "/vendor/" in path}
    assert written - unread <= set(PAGES)


def test_every_link_leads_somewhere(documents: dict[Path, Document], site: Path) -> None:
    """A link of one page to another finds the page, and the place in it that it names."""
    for page, document in documents.items():
        for link in document.links + document.loaded:
            parts = urlsplit(link)
            if parts.scheme or page.name == "404.html":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            assert target.is_relative_to(site.resolve()), f"{page}: {link}"
            assert target.exists(), f"{page}: {link}"
            if parts.fragment and target.suffix == ".html":
                names = documents[site / target.relative_to(site.resolve())].names
                assert unquote(parts.fragment) in names | {"__toc"}, f"{page}: {link}"


def test_nothing_is_asked_of_another_origin(documents: dict[Path, Document], site: Path) -> None:
    """No page and no style sheet loads anything that is not in the site."""
    for page, document in documents.items():
        foreign = [link for link in document.loaded if urlsplit(link).scheme not in {"", "data"}]
        assert not foreign, f"{page}: {foreign}"
        assert "fonts.g" not in page.read_text("utf-8"), page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", sheet.read_text("utf-8")), (
            sheet
        )


def test_nothing_of_the_source_shows(site: Path) -> None:
    """No list or table became a paragraph, as one does that GitHub understands and the site does not."""
    for page in site.rglob("*.html"):
        text = re.sub(r"<(pre|script|style).*?</\1>", "", page.read_text("utf-8"), flags=re.DOTALL)
        for paragraph in re.findall(r"<p>(.*?)</p>", text, re.DOTALL):
            assert not re.search(r"(?m)^\s*(?:[-*] |\d+\. |\|)|```|\]\(", paragraph), f"{page}: {paragraph}"


def test_lists_of_github_are_understood() -> None:
    """What belongs to an item stays in it, with its code as it was; what is in no list is not touched."""
    assert widened("1. b\n\n   ```\n   - c\n     d\n   ```") == "1. b\n\n    ```\n    - c\n      d\n    ```"
    assert widened("1. b\n\n   c\n2. d") == "1. b\n\n    c\n\n2. d"
    assert widened("- b\n  - c\n    d\n- e\n\nf") == "- b\n    - c\n        d\n- e\n\nf"
    for untouched in ("  a\n\nb", "```\n- b\n  c\n```\n", "1. b\n2. c\n\nd"):
        assert widened(untouched) == untouched


@pytest.mark.parametrize("page", ["README.md", *(path for path in PAGES if path.endswith(".md"))])
def test_links_work_in_the_repository_too(page: str) -> None:
    """Each relative link names a file of the repository, and a heading that is in it."""
    for link in links((REPOSITORY / page).read_text("utf-8"), page):
        target = REPOSITORY / link.target
        assert target.exists(), link
        if link.anchor and target.suffix == ".md":
            assert link.anchor[1:] in headings(target.read_text("utf-8")), link


def headings(markdown: str) -> set[str]:
    """Return the names that GitHub gives the headings of a page."""
    text = re.sub(r"(?ms)^```.*?^```", "", markdown)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", text)
    }


@pytest.mark.browser
def test_search_works_without_a_server(site: Path, browser: Browser) -> None:
    """The site opened as a file finds a word, and asks nothing of the network."""
    with browser.new_page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "index.html").as_uri())
        page.fill(".md-search__input", "backfill")
        page.locator(".md-search-result__item").first.wait_for()
        found = page.locator(".md-search-result__link").evaluate_all("links => links.map(link => link.href)")
        assert any("topics.html" in link for link in found), found
        assert {urlsplit(url).scheme for url in asked} <= {"file", "blob", "data"}, asked
