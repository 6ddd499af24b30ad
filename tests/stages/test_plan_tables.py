"""What a reader sees of a plan that a run has been made of already."""

import io

import pytest
from rich.console import Console

from rare_neurons.checkpoints.plan import plan_run
from rare_neurons.numerics.panel.rows import StratumRow
from rare_neurons.stages.plan import Outlook
from rare_neurons.stages.plan_panel import Size
from rare_neurons.stages.plan_tables import as_record, tables_of_plan

ROW = StratumRow("rare", 954, 0.1, 468, 1, 4000, 773, 0.01, 139, 120.5, 450.9, "ok", None)
SIZES = [
    Size("", 500, (ROW,), {}),
    Size("half the targets", 500, (ROW,), {"rare": 1.214}),
    Size("twice the contexts", None, (), {}, "the text gives no more, with these caps"),
]
COST = {
    "device": "cuda:0",
    "gflops": 100.0,
    "core_seconds": {"pretrain": 170.4, "probe": 298.2},
    "models": {"a": 468.6},
    "unknown": ["gone"],
    "results_bytes": 1.7e8,
    "other_panels": {"heldout": {"half the targets": 0.834}},
}
OUTLOOK = Outlook(
    plan=plan_run((), budget_bytes=10**9),
    trained={"a": 12},
    verdicts={"a": {4: "start", 8: "start"}},
    disk_gb=1.0,
    panels={"heldout": SIZES},
    tiers=(),
    warnings=("activity.steps: one checkpoint makes no claim",),
    cost=COST,
)


@pytest.fixture(scope="module")
def shown() -> str:
    text = io.StringIO()
    console = Console(file=text, width=118)
    for part in tables_of_plan(OUTLOOK):
        console.print(part)
    return text.getvalue()


@pytest.mark.parametrize(
    ("first", "cells"),
    [
        ("a", ["12", "10", "", "", "", "about 470"]),
        ("rare", ["954", "10.0%", "4,000", "120", "451", ""]),
        ("half the targets", ["500", "4,000", "× 1.21", "× 0.83"]),
        ("twice the contexts", ["not to be had", "", "", ""]),
    ],
)
def test_a_row_says(shown, first, cells):
    (row,) = (line for line in shown.splitlines() if line.startswith(f"│ {first} "))
    assert [cell.strip() for cell in row.split("│")[2:-1]] == cells


def test_quarantined_checkpoints_have_their_reasons_and_costs_two_digits(shown):
    said = " ".join(shown.split())
    assert "a: quarantined by an earlier run: 2 start." in said
    assert "Not to be had: the text gives no more, with these caps" in said
    assert "Cost: about 470 core-seconds (probe 300, pretrain 170) at 100 GFLOP/s of one core; on cuda:0" in said
    assert "Results: about 0.17 GB." in said
    assert "Not in it: gone" in said
    assert OUTLOOK.warnings[0] in said


def test_a_program_gets_the_same_unrounded():
    said = as_record(OUTLOOK)
    assert said["quarantined"] == {"a": {4: "start", 8: "start"}}
    assert said["warnings"] == list(OUTLOOK.warnings)
    assert [one["cost_ratio"] for one in said["panels"]["heldout"]] == [None, 0.834, None]
    assert said["panels"]["heldout"][1]["errors"] == {"rare": 1.214}
    assert said["cost"]["core_seconds"]["probe"] == 298.2
