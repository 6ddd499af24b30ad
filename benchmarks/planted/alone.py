"""What tier `run` says of single planted runs, each judged alone, without other seeds or controls.

Run with `python -m benchmarks.planted.alone RESULTS NAME...`: the results folder that `benchmarks.planted.run` wrote,
and the runs. Prints a Markdown table of the questions about influence on rare tokens.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.calibration.evidence_world import table
from rare_neurons.configuration import complete_config
from rare_neurons.stages.evidence import NAMES, write_evidence
from rare_neurons.tables import read_table
from tools.configuration import SCHEMA, read_yaml

PANEL = "heldout"


def judge_alone(results: Path, name: str, options: dict[str, object]) -> pd.DataFrame:
    """Return one row per question of a run that is its own subject: p, the tier reached, and the onset's interval."""
    shards = [
        str(path) for kind in ("behaviour", "moments") for path in (results / kind / PANEL / name).glob("*.parquet")
    ]
    with TemporaryDirectory() as folder:
        outputs = {table: f"{folder}/{table}.parquet" for table in NAMES}
        write_evidence(
            outputs,
            shards=shards,
            integrity=[str(path) for path in results.glob(f"integrity/{name}.parquet")],
            subject=name,
            models=[name],
            controls=[],
            panels=[PANEL],
            options=options,
        )
        found, onsets = (read_table(outputs[name]).to_pandas() for name in ("evidence", "onsets"))
    mine = found[found.tier == "run"].set_index("question")
    dates = (
        onsets[onsets.role == "run"].set_index("question")[["after", "by", "status"]].rename(columns={"status": "date"})
    )
    return mine[["p_value", "p_adjusted", "reached"]].join(dates)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("names", nargs="+")
    given = parser.parse_args()
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))
    rows = []
    for name in given.names:
        for question, row in judge_alone(given.results, name, config["evidence"]).iterrows():
            if "influence on rare" in question:
                date = f"({row.after:.0f}, {row.by:.0f}]" if row.date == "dated" else row.date
                p = f"{row.p_value:.2g} -> {row.p_adjusted:.2g}"
                rows.append((name, question, p, row.reached if pd.notna(row.reached) else "-", date))
    table(("run", "question", "p alone -> as it counts", "reached", "onset"), rows)


if __name__ == "__main__":
    main()
