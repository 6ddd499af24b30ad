"""The atlas in a real browser: size of the file and time to the first view, at the demo's size and at pythia-410m's.

``python -m benchmarks.atlas [RESULTS …]`` makes a page of each results tree, and of random numbers for 4,096 neurons x
154 checkpoints x 3 strata with 24 layers, opens it in Chromium from a file, and waits until the first chart is drawn.
Wall clock of a browser depends on what else runs: the processor seconds of its page stand beside it.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.atlas_tree import PANEL, PYTHIA_410M, write_tree
from rare_neurons.atlas import Tree, atlas_page, find_subjects
from tests.atlas.browser import OPTIONS, PATIENCE, find_chromium

DRAWN = "document.querySelector('figure.slot .chart svg, figure.slot .chart canvas')"
WATCH = f"""new MutationObserver((_, watch) => {{
  if (window.first === undefined && {DRAWN}) {{ window.first = performance.now(); watch.disconnect(); }}
}}).observe(document, {{childList: true, subtree: true}});"""


def first_view(file: Path) -> tuple[float, float, float]:
    """Seconds from navigation to the first chart, and of the page's processor until then and until all is drawn."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(OPTIONS))
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(file.as_uri(), wait_until="commit")
        page.wait_for_function("window.first !== undefined")
        early = _seconds(session)
        page.wait_for_load_state()
        for view in page.evaluate("[...new Set(atlas.slots().map((one) => one.view))]"):
            page.evaluate("(view) => atlas.see(view)", view)
        found = page.evaluate("window.first") / 1e3, early, _seconds(session)
        browser.close()
    return found


def _seconds(session: object) -> float:
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return metrics["TaskDuration"]


def measure(results: Path, panel: str, folder: Path, repeats: int) -> str:
    """One line of the table."""
    start = time.process_time()
    text = atlas_page([Tree(results, find_subjects(results), panel)])
    made = time.process_time() - start
    file = folder / "atlas.html"
    file.write_text(text, encoding="utf-8")
    walls, early, late = zip(*(first_view(file) for _ in range(repeats)), strict=True)
    wall = f"{statistics.median(walls):.1f} s ({min(walls):.1f}-{max(walls):.1f})"
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    return f"{made:.0f} s | {size} | {wall} | {statistics.median(early):.1f} s | {statistics.median(late):.1f} s |"


def main(trees: list[Path], repeats: int) -> None:
    """Print the table."""
    print("| | making it, CPU | file | first chart, wall | its CPU | all charts, CPU |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for results in trees:
            panel = Tree(results, find_subjects(results)).panels[0]
            panel = PANEL if (results / "influence" / PANEL).is_dir() else panel
            print(f"| {results} | {measure(results, panel, folder, repeats)}", flush=True)
        large = write_tree(folder / "pythia-410m", PYTHIA_410M)
        print(f"| random, pythia-410m's size | {measure(large, PANEL, folder, repeats)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="*")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.results, arguments.repeats)
