"""The probe of a tiny checkpoint on a panel whose strata are declared in another order than their names'."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from rare_neurons.numerics.grid.moments import disjoint_products
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.on_panel import load_panel
from rare_neurons.stages.probe import OUTPUTS, write_probe
from rare_neurons.tables import read_metadata, read_table, table_schema
from tests.models.tiny import EXACT, N_NEURONS
from tests.stages.panels import STRATA, draw_panel, write_corpus, write_tokenizer
from tests.stages.tables import put_manifest

OPTIONS = {**asdict(EXACT), "dtype": "float32", "tf32": False, "device": "cpu", "batch_size": 16}


@pytest.fixture(scope="module")
def measure(tmp_path_factory, run):
    """Probe the run on a panel drawn with some settings; returns paths of inputs and outputs."""
    folder = tmp_path_factory.mktemp("probe")
    corpus, tokenizer = write_corpus(folder), write_tokenizer(folder)

    def measured(name, strata=STRATA, **settings):
        panel = draw_panel(folder / name, corpus, strata=strata, **settings)
        inputs = {"contexts": panel["contexts"], "targets": panel["targets"], "unigram": corpus["unigram"]}
        manifests = [put_manifest(folder / name / "manifest.json", run, 8)]
        outputs = {table: str(folder / name / f"{table}.parquet") for table in OUTPUTS}
        about = {"panel": "p", "rules": strata, "options": OPTIONS}
        place = Workplace({"folder": str(folder / "cache"), "disk_gb": 1})
        written = {table: [path] for table, path in outputs.items()}
        write_probe(written, {**inputs, "tokenizer": tokenizer}, manifests=manifests, place=place, **about)
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


def test_behaviour_is_the_mean_over_the_targets_of_a_cell(probed, run):
    inputs, outputs = probed
    paths = {name: inputs[name] for name in ("contexts", "targets", "unigram")}
    panel = load_panel(**paths, rules=STRATA)
    assert panel.strata == tuple(STRATA)
    of_target = losses(run, panel)
    rows = read_table(outputs["behaviour"]).to_pylist()
    assert sum(row["n_targets"] for row in rows) == len(of_target)
    for row in rows:
        mine = panel.stratum == list(STRATA).index(row["stratum"])
        mine &= (panel.fold[panel.context] == row["fold"]) & (panel.type_bin == row["type_bin"])
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
    assert (n["influence"], n["cells"]) == (len(STRATA) * N_NEURONS, len(STRATA) * 144)
    assert n["moments"] == (1 + EXACT.placebo_draws) * n["cells"]
    assert (n["activations"], n["gradients"]) == (N_NEURONS, len(STRATA))
    assert tables["influence"]["influence_expected"].null_count == 0
    for name, table in tables.items():
        assert table.schema.equals(table_schema(name))
        assert set(table["step"].to_pylist()) == {8}
        about = read_metadata(outputs[name])
        assert (about["status"], about["rounding_model"]) == ("ok", "deterministic")
        assert about["tokenizer"].startswith("none: tokenizer.json is not there")
    for stratum in STRATA:
        cells = [row for row in tables["cells"].to_pylist() if row["stratum"] == stratum]
        total = np.sum([row["influence_sum"] for row in cells], axis=0) / sum(row["n_targets"] for row in cells)
        influence = [r["influence"] for r in tables["influence"].to_pylist() if r["stratum"] == stratum]
        np.testing.assert_allclose(total, influence, atol=1e-6)  # cell sums are stored in float32


def test_moments_are_those_of_the_cells_and_of_nothing_else_in_placebos(probed):
    _, outputs = probed
    cells, moments = (read_table(outputs[name]).to_pylist() for name in ("cells", "moments"))
    for stratum in STRATA:
        mine = [row for row in moments if row["stratum"] == stratum]
        assert {row["draw"] for row in mine} == set(range(1 + EXACT.placebo_draws))
        own = [row for row in mine if row["draw"] == 0]
        for name, part in (("influence_sum", "influence"), ("within_sum", "within")):
            sums = np.array([row[name] for row in cells if row["stratum"] == stratum], dtype=float)
            grid = sums.T.reshape(-1, 12, 12)
            # Cell sums are stored in float32: 6e-8 of sums of a few nats, and of products of two.
            np.testing.assert_allclose([row[f"{name}_mean"] for row in own], sums.mean(1), rtol=0, atol=1e-6)
            pairs = disjoint_products(grid).mean(0).ravel()
            np.testing.assert_allclose([row[f"{part}_pairs"] for row in own], pairs, rtol=0, atol=1e-5)
        placebos = [row for row in mine if row["draw"] > 0]
        assert all(row["influence_pairs"] is None is row["influence_sum_mean"] for row in placebos)
        own_mean = sum(row["within_sum_mean"] for row in own)
        for draw in range(1, 1 + EXACT.placebo_draws):
            assert sum(r["within_sum_mean"] for r in placebos if r["draw"] == draw) != pytest.approx(own_mean)


def test_without_a_stratum_of_the_target_there_is_no_expected_influence(measure):
    _, outputs = measure("read", token_role="input")
    column = read_table(outputs["influence"])["influence_expected"]
    assert column.null_count == len(column) == len(STRATA) * N_NEURONS
