"""Check a whole results folder: ``python -m rare_neurons.check RESULTS [--config FILE …]``.

Every file that the configuration asks for must be there, be what was written, and be what the configuration, its inputs
and this version of the package would give; local weights must be those of their manifests. Ends with 0, or with 1 where
something is missing, damaged or stale.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rare_neurons.configuration import complete_config
from rare_neurons.errors import RequestError
from rare_neurons.house import LOWEST, SCHEMA, file_of_house
from rare_neurons.origins.asked import Asked, steps_asked
from rare_neurons.origins.elsewhere import KNOWN, adopt
from rare_neurons.origins.tree import DAMAGED, FAULTS, STALE, Finding, check_tree


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    results = Path(options.results)
    try:
        config = read_configuration(results, options.config)
        asked = Asked(config, steps_asked(config))
    except (RequestError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    found = list(check_tree(results, asked, weights=not options.skip_weights))
    _print(found, len(asked.keys))
    if options.adopt:
        n = adopt(results, asked)
        print(f"{n} files are taken as they are; {results / KNOWN} says so to the next runs")
    if options.set_aside:
        for finding in found:
            _set_aside(results / finding.path, finding.state)
        print("What is damaged or stale is renamed; the next run makes it again")
    return int(any(finding.state in FAULTS for finding in found))


def read_configuration(results: Path, files: Sequence[str]) -> Mapping[str, Mapping]:
    """Put together what was asked: the given files on top of how things are measured, or what the last run has noted.

    Raises
    ------
    RequestError
        If there is no file to read.
    """
    noted = results / "config.yaml"
    if files:
        layers = [file_of_house(LOWEST), *map(Path, files)]
    elif noted.is_file():
        return _yaml(noted)
    else:
        raise RequestError(f"no {noted}, which a run leaves there; name the configuration with --config")
    missing = [path for path in layers if not path.is_file()]
    if missing:
        raise RequestError(f"no {missing[0]}; name files that are there: --config FILE …")
    return complete_config(_yaml(file_of_house(SCHEMA)), *map(_yaml, layers))


def _yaml(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rare_neurons.check", description=__doc__.split("\n\n")[1])
    parser.add_argument("results", help="the results folder")
    parser.add_argument("--config", nargs="+", default=(), metavar="FILE", help="default: RESULTS/config.yaml")
    parser.add_argument("--skip-weights", action="store_true", help="do not read local weights")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--set-aside", action="store_true", help="rename damaged and stale files, so that the next run makes them again"
    )
    what.add_argument("--adopt", action="store_true", help="let runs take stale files as they are")
    return parser


def _set_aside(path: Path, state: str) -> None:
    if state in (DAMAGED, STALE) and path.is_file():
        path.replace(path.with_name(f"{path.name}.{state}"))


def _print(found: Sequence[Finding], n: int) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    if found:
        table = Table()
        for column in ("file", "is", "why"):
            table.add_column(column, overflow="fold")
        for finding in found:
            table.add_row(*map(Text, (finding.path, finding.state, finding.why)))
        console.print(table)
    states = Counter(state for _, state in {(finding.path, finding.state) for finding in found})
    console.print(
        f"{n} files asked for; " + (", ".join(f"{k} {state}" for state, k in states.items()) or "all as asked")
    )


if __name__ == "__main__":
    sys.exit(main())
