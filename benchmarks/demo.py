"""What a run took, rule by rule, from Snakemake's own records.

Run with `python -m benchmarks.demo [FOLDER]` in the folder of a finished run (`make demo`). Seconds are wall clock,
from a job's start to its end, its interpreter and imports included; with as many jobs at a time as there are idle cores
they are core-seconds. Prints a Markdown table.
"""

import json
import re
import sys
from pathlib import Path

from benchmarks.calibration.evidence_world import table


def main() -> None:
    """Print the table of a folder's records."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
    jobs = jobs_of(folder / ".snakemake/metadata")
    if not jobs:
        sys.exit(f"{folder} holds no records of a finished run: run `make demo` there first")
    by_rule: dict[str, list[float]] = {}
    for rule, start, end in jobs:
        by_rule.setdefault(rule, []).append(end - start)
    total = sum(map(sum, by_rule.values()))
    rows = [
        (rule, len(seconds), f"{sum(seconds):.1f}", f"{max(seconds):.1f}", f"{100 * sum(seconds) / total:.0f} %")
        for rule, seconds in sorted(by_rule.items(), key=lambda item: -sum(item[1]))
    ]
    table(("rule", "jobs", "seconds", "longest", "share"), [*rows, ("all", len(jobs), f"{total:.1f}", "", "")])
    start, end = min(job[1] for job in jobs), max(job[2] for job in jobs)
    print(f"\nFrom the first start to the last end: {end - start:.0f} s; {total / (end - start):.2f} jobs at a time.")


def jobs_of(records: Path) -> list[tuple[str, float, float]]:
    """Rule (without a batch's steps), start and end of every job: each output has a record, the last one ends it.

    Rules without a log compute nothing (marks of what has been measured).
    """
    found: dict[tuple, tuple[str, float, float]] = {}
    for path in filter(Path.is_file, records.rglob("*")):
        record = json.loads(path.read_text())
        if not record["log"]:
            continue
        job = (record["rule"], *record["log"])
        _, start, end = found.get(job, ("", record["starttime"], record["endtime"]))
        rule = re.sub(r"(_\d+)+$", "", record["rule"])
        found[job] = (rule, min(start, record["starttime"]), max(end, record["endtime"]))
    return list(found.values())


if __name__ == "__main__":
    main()
