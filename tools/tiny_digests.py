"""Digests of every table and figure of the tiny project: what a pure move must leave as it is.

python -m tools.tiny_digests FILE            write them
python -m tools.tiny_digests --against FILE  compare with what was written; exit 1 and name what differs
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from tests.workflow.project import CONFIG, make_project

KINDS = (".parquet", ".png", ".svg", ".txt")


def digests(results: Path) -> dict[str, str]:
    """Return the sha256 of every table, figure and summary under a results folder, by relative path."""
    files = sorted(p for p in results.rglob("*") if p.suffix in KINDS and p.is_file())
    return {p.relative_to(results).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def tiny_digests() -> dict[str, str]:
    """Run the tiny project, with two seeds and a control, in a folder of its own."""
    (seed,) = CONFIG["models"].values()
    models = {
        "tiny-seed0": seed,
        "tiny-seed1": {**seed, "seed": 1},
        "shuffled": {k: v for k, v in seed.items() if k != "subject"}
        | {"text": "unigram_shuffled", "control_of": seed["subject"]},
    }
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project", models=models)
        project.run()
        return digests(project.folder / "results")


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--against", action="store_true", help="compare instead of write")
    chosen = parser.parse_args()
    found = tiny_digests()
    if not chosen.against:
        chosen.file.write_text("".join(f"{digest}  {path}\n" for path, digest in found.items()))
        print(f"{len(found)} digests in {chosen.file}")
        return
    wanted = {path: digest for digest, path in (line.split("  ", 1) for line in chosen.file.read_text().splitlines())}
    differing = sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))
    for path in differing:
        print(f"differs: {path}")
    print(f"{len(wanted) - len(differing)} of {len(wanted)} as they were")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
