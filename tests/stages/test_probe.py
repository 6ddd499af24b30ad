"""The probe of a tiny checkpoint on a panel whose strata are declared in another order than their names'."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from rare_neurons.stages.probe import OUTPUTS, load_panel, write_probe
from rare_neurons.tables import read_metadata, read_table, table_schema
from tests.models.tiny import EXACT, N_NEURONS
from tests.stages.panels import STRATA, draw_panel, write_corpus
from tests.stages.tables import put_manifest

OPTIONS = {**EXACT, "dtype": "float32", "device": "cpu", "batch_size": 16}


@pytest.fixture(scope="module")
def measure(tmp_path_factory, run):
    """Probe the run on a panel drawn with some settings; returns paths of inputs and outputs."""
    folder = tmp_path_factory.mktemp("probe")
    corpus = write_corpus(folder)

    def measured(name, strata=STRATA, **settings):
        panel = draw_panel(folder / name, corpus, strata=strata, **settings)
        inputs = {"contexts": panel["contexts"], "targets": panel["targets"], "unigram": corpus["unigram"]}
        inputs["manifest"] = put_manifest(folder / name / "manifest.json", run, 8)
        outputs = {table: str(folder / name / f"{table}.parquet") for table in OUTPUTS}
        about = {"rules": strata, "options": OPTIONS, "placement": None, "threads": 1}
        cache = {"folder": str(folder / "cache"), "disk_gb": 1}
        write_probe(outputs, {**inputs, "tokenizer": "none"}, panel="p", cache=cache, **about)
        return inputs, outputs

    return measured


@pytest.fixture(scope="module")
def probed(measure):
    return measure("declared")


def losses(run, panel):
    """Cross-entropy at each target, from the model as it is loaded by anyone."""
    model = AutoModelForCausalLM.from_pretrained(run / "step8", dtype=torch.float32).eval()
    with torch.no_grad():
        log_p = model(torch.from_numpy(panel.token_ids)).logits.log_softmax(-1).numpy()
    return -log_p[panel.context, panel.position, panel.target_id]


def test_behaviour_is_the_mean_over_the_targets_of_a_stratum_and_fold(probed, run):
    inputs, outputs = probed
    paths = {name: inputs[name] for name in ("contexts", "targets", "unigram")}
    panel = load_panel(**paths, rules=STRATA)
    assert panel.strata == tuple(STRATA)
    of_target = losses(run, panel)
    rows = read_table(outputs["behaviour"]).to_pylist()
    assert sum(row["n_targets"] for row in rows) == len(of_target)
    for row in rows:
        mine = (panel.stratum == list(STRATA).index(row["stratum"])) & (panel.fold[panel.context] == row["fold"])
        assert row["n_targets"] == mine.sum() > 0
        # float32 logits of size 10: an ulp is 1e-6.
        assert row["loss"] == pytest.approx(of_target[mine].mean(), abs=1e-4)


def test_the_order_in_which_strata_are_declared_changes_nothing(probed, measure):
    _, declared = probed
    _, by_name = measure("alphabetical", strata=dict(sorted(STRATA.items())))
    assert list(STRATA) != sorted(STRATA)
    for name in ("influence", "behaviour", "gradients"):
        one, two = (read_table(outputs[name]) for outputs in (declared, by_name))
        assert one.num_rows == two.num_rows > 0
        for column in one.column_names:
            if column == "gradient":
                values = (np.stack([row.values.to_numpy() for row in t[column]]) for t in (one, two))
                np.testing.assert_allclose(*values, rtol=0, atol=1e-6)  # float32, blocks of other targets
            elif one.schema.field(column).type == "double":
                # Sums in float64 of the same float32 residuals, in another order.
                np.testing.assert_allclose(one[column], two[column], rtol=0, atol=1e-6, err_msg=column)
            else:
                assert one[column].equals(two[column])


def test_tables_are_whole_and_agree(probed):
    _, outputs = probed
    tables = {name: read_table(path) for name, path in outputs.items()}
    n = {name: table.num_rows for name, table in tables.items()}
    assert (n["influence"], n["folds"]) == (len(STRATA) * N_NEURONS, len(STRATA) * 64)
    assert (n["activations"], n["gradients"]) == (N_NEURONS, len(STRATA))
    assert tables["influence"]["influence_expected"].null_count == 0
    for name, table in tables.items():
        assert table.schema.equals(table_schema(name))
        assert set(table["step"].to_pylist()) == {8}
        about = read_metadata(outputs[name])
        assert (about["status"], about["rounding_model"]) == ("ok", "deterministic")
    for stratum in STRATA:
        folds = [row for row in tables["folds"].to_pylist() if row["stratum"] == stratum]
        total = np.sum([row["influence_sum"] for row in folds], axis=0) / sum(row["n_targets"] for row in folds)
        influence = [r["influence"] for r in tables["influence"].to_pylist() if r["stratum"] == stratum]
        np.testing.assert_allclose(total, influence, atol=1e-6)  # fold sums are stored in float32


def test_without_a_stratum_of_the_target_there_is_no_expected_influence(measure):
    _, outputs = measure("read", token_role="input")
    column = read_table(outputs["influence"])["influence_expected"]
    assert column.null_count == len(column) == len(STRATA) * N_NEURONS
