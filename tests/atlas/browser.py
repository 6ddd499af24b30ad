"""A page in the system's Chromium, driven by Playwright; what it asks of the network and complains of is kept."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from rare_neurons.atlas import Tree, atlas_page, find_subjects

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PATIENCE = 90_000
"""Milliseconds: the machine may be busy, and no test is about time."""


def find_chromium() -> str | None:
    """Return the path of a browser of the Chromium family, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium; apt-get install chromium"),
]
"""Marks of a module of tests that look at a page."""


@dataclass
class Opened:
    """A page with what it has done."""

    page: Page
    file: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def run(self, script: str, argument: object = None) -> object:
        """Return what a script gives, once all that is in sight has been drawn."""
        found = self.page.evaluate(script, argument)
        self.page.evaluate("atlas.settled()")
        return found

    def set(self, **state: object) -> None:
        self.run("(change) => atlas.set(change)", state)

    def state(self, key: str) -> object:
        return self.page.evaluate("(key) => atlas.state[key]", key)

    def see(self, view: str) -> None:
        """Draw a view, in sight or not."""
        self.run("(view) => atlas.see(view)", view)

    def rows(self, view: str, slot: str, data: str) -> list[dict]:
        """Rows that a chart draws."""
        return self.page.evaluate("([v, s, d]) => atlas.rowsOf(v, s)?.[d] ?? []", [view, slot, data])

    def slot(self, view: str, slot: str) -> str:
        """Selector of a chart's place on the page."""
        return f'figure.slot[data-view="{view}"][data-slot="{slot}"]'

    def texts(self, view: str, slot: str) -> list[str]:
        """Text marks of a chart, as drawn."""
        return self.page.locator(f"{self.slot(view, slot)} svg .mark-text.role-mark text").all_text_contents()

    def marks(self, view: str, slot: str, kind: str) -> int:
        """Number of drawn marks of a kind: rect, symbol, line, area, rule."""
        return self.page.locator(f"{self.slot(view, slot)} svg .mark-{kind}.role-mark > path").count()

    def click(self, view: str, slot: str, kind: str, place: int) -> None:
        """Click on the mark at a place of the drawing order."""
        marks = self.page.locator(f"{self.slot(view, slot)} svg .mark-{kind}.role-mark > path")
        marks.nth(place).click(force=True)
        self.page.evaluate("atlas.settled()")


@contextmanager
def opened(file: Path, width: int = 1280) -> Iterator[Opened]:
    """Open a file of this computer."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(OPTIONS))
        context = browser.new_context(viewport={"width": width, "height": 1000}, accept_downloads=True)
        yield page_of(context, file)
        browser.close()


def page_of(context: BrowserContext, file: Path, address: str = "") -> Opened:
    """Open a file (and what its address ends with) in a page of its own; wait until what is in sight has been drawn."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    found = Opened(page, file)
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("console", lambda line: found.complaints.append(line.text) if line.type == "error" else None)
    page.goto(file.as_uri() + address, wait_until="commit")
    page.wait_for_function("document.querySelector('figure.slot svg, figure.slot canvas') !== null")
    page.evaluate("atlas.settled()")
    return found


def write_page(results: Path, file: Path, panels: Sequence[str | None]) -> Path:
    """Write the atlas of a tree at some panels."""
    trees = [Tree(results, find_subjects(results), panel) for panel in panels]
    file.write_text(atlas_page(trees), encoding="utf-8")
    return file
