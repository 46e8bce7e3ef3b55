"""The built site as data: what each page has under which anchors, and what it asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
"""The elements by which a browser loads something, and the attribute that says what."""


@dataclass
class Page(HTMLParser):
    """A page: its anchors, its links, and what a browser loads with it."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Keep what the element is known by, leads to or loads."""
        given = {name: value for name, value in attributes if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        loaded = given.get(LOADED.get(tag, ""))
        if loaded and given.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(loaded)


def pages(site: Path) -> dict[Path, Page]:
    """All pages of a site, but the one for addresses that there are not."""
    return {path.resolve(): Page(path.resolve()) for path in site.rglob("*.html") if path.name != "404.html"}


def dead_links(site: dict[Path, Page]) -> Iterator[str]:
    """Links that lead to no file, or to no anchor, with the page that has them."""
    for page in site.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in site and anchor not in site[target].anchors):
                yield f"{page.path.name}: {link}"


def from_elsewhere(site: dict[Path, Page]) -> list[str]:
    """What pages load from other hosts."""
    return [f"{page.path.name}: {one}" for page in site.values() for one in page.loads if urlsplit(one).netloc]
