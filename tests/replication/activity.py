"""The hand-made tree with what activity tables say: three sets' conventions, kinds, readout and claims."""

import shutil
from pathlib import Path

from rare_neurons.numerics.claims.rows import ActivityEvidenceRow
from rare_neurons.replication.inputs import Tree
from tests.numerics.wording.test_activity import KIND, SET
from tests.replication.tree import CONTROLS, RUNS, SUBJECT, write

BESIDE = {"null_median": 0.5, "placebo_value": 0.25, "n_set": 8}


def with_activity(results: Path, folder: Path, panels: dict) -> Tree:
    """Copy of the tree, with activity at step 0 and the last."""
    shutil.copytree(results, folder, dirs_exist_ok=True)
    tree = Tree(str(folder), SUBJECT, RUNS, CONTROLS, ("rare", "common"), panels)
    for model in tree.runs:
        rows = []
        for step in (0, tree.steps(model)[-1]):
            place = {"panel": tree.ours, "model": model, "step": step}
            rows += [{**place, "quarantined": False, **row} for row in organisation_rows(step)]
            write(folder, f"kinds/{tree.ours}/{model}/step{step}.parquet", [{**place, **row} for row in kind_rows()])
            write(folder, f"readout/{tree.ours}/{model}/step{step}.parquet", [{**place, **r} for r in readout_rows()])
        (folder / f"timelines/organisation/{model}.parquet").unlink(missing_ok=True)
        write(folder, f"timelines/organisation/{model}.parquet", rows)
    questions = {"co-activation": SET, "kind: token_detector": KIND}
    evidence = [{"subject": SUBJECT, "panel": tree.ours, **vars(row), "question": q} for q, row in questions.items()]
    assert set(ActivityEvidenceRow.__dataclass_fields__) <= set(evidence[0])
    write(folder, f"timelines/activity_evidence/{SUBJECT}.parquet", evidence)
    return tree


def organisation_rows(step: int) -> list[dict[str, object]]:
    """Conventions that rise from 0.1, and what decides."""
    about = {"stratum": "rare", "sign": "all", **BESIDE}
    names = ("effective_dimension_95", "in_sample_modularity", "near_right_angles")
    rows = [
        {**about, "quantity": q, "residualised": False, "n_rows": 200, "value": 0.1 * (k + 1)}
        for k, q in enumerate(names)
    ]
    last = {**about, "quantity": "excess_square_correlation", "residualised": True, "n_rows": 200}
    return [*rows, {**last, "value": 0.001 * step}]


def kind_rows() -> list[dict[str, object]]:
    """Two of four neurons dead, one detector; a layer that does not count."""
    kinds = ("dead", "dead", "token_detector", "other")
    about = {"position_information": 0.06, "position_rotated": 0.01, "positional": False}
    rows = [{"layer": 1, "neuron": k, "kind": kind, "counted": True, **about} for k, kind in enumerate(kinds)]
    return [*rows, {"layer": 0, "neuron": 0, "kind": "dead", "counted": False, **about}]


def readout_rows() -> list[dict[str, object]]:
    """Two neurons, one of which was evaluated for its entropy."""
    about = {"stratum": "rare", "null_chance": 0.1}
    one = {"null_share": 0.3, "logit_variance": 0.9, "abs_entropy_change": 0.002, "frequency_influence": -0.004}
    other = {"null_share": 0.2, "logit_variance": 1.1, "abs_entropy_change": None, "frequency_influence": 0.001}
    return [{**about, "neuron": k, **row} for k, row in enumerate((one, other))]
