"""From a configuration to what each model is asked for."""

from dataclasses import replace

import pytest

from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.numerics.panel.rows import StratumRow
from rare_neurons.stages import plan_cost
from rare_neurons.stages.plan_cost import Declared, cost_of_run
from rare_neurons.stages.plan_panel import Size
from tools.configuration import read_config

CONFIG = read_config("config/config.yaml")
STEPS = dict.fromkeys(CONFIG["models"], 12)
MORE = {name: {"in_a_job": 12, "layers": 2, "intervals": 2} for name in STEPS}
DEMO = Declared(CONFIG, steps=STEPS, more=MORE, tokenizers={}, drawn={"heldout": (500, 12_000)})


@pytest.fixture(autouse=True)
def of_one_speed(monkeypatch):
    """The core on which the demo was timed."""
    monkeypatch.setattr(plan_cost, "core_speed", lambda: 105e9)


def total(declared: Declared, manifests: tuple = (), **more: object) -> float:
    return sum(cost_of_run(declared, manifests, panels={}, **more)["core_seconds"].values())


def test_the_demo_as_it_is_configured_costs_about_what_it_cost():
    assert total(DEMO) == pytest.approx(774, rel=0.15)
    assert total(DEMO, whole=False) < total(DEMO)


def test_fewer_checkpoints_layers_and_targets_cost_less():
    less = (
        replace(DEMO, steps=dict.fromkeys(STEPS, 6)),
        replace(DEMO, more={}),
        replace(DEMO, drawn={"heldout": (500, 6_000)}),
    )
    # Without the declared numbers every checkpoint has a process of its own, which outweighs layers and intervals.
    found = [total(one) for one in less]
    assert found[0] < total(DEMO)
    assert found[2] < total(DEMO)
    assert found[1] > total(replace(DEMO, more={name: {"in_a_job": 12} for name in STEPS}))


def test_another_panel_has_its_cost_over_that_of_the_run():
    row = StratumRow("rare", 9, 0.1, 9, 1, 6000, 9, 0.1, 9, 40.0, 40.0, "ok", None)
    own, half = Size("", 500, (row, row), {}), Size("half the targets", 500, (replace(row, n_targets=3000),) * 2, {})
    none = Size("twice the targets", None, (), {}, "the text gives no more")
    found = cost_of_run(DEMO, (), panels={"heldout": [own, half, none]})["other_panels"]["heldout"]
    assert found.keys() == {"half the targets"}
    expected = total(replace(DEMO, drawn={"heldout": (500, 6_000)})) / total(DEMO)
    assert found["half the targets"] == pytest.approx(expected)


def test_of_hub_models_good_checkpoints_count_and_one_without_any_is_named():
    pythia = read_config("config/pythia.yaml")
    name = next(iter(pythia["models"]))
    good = Manifest(name, 0, "hub", "lab/m", files=(ManifestFile("model.safetensors", 140_000_000, "a"),))
    bad = Manifest(name, 1, "hub", "lab/m", status="missing", reason="no revision")
    declared = Declared(pythia, steps={name: 2}, more={}, tokenizers={}, drawn={})
    one = cost_of_run(declared, (good, bad), panels={}, whole=False)
    two = cost_of_run(declared, (good, replace(good, step=1)), panels={}, whole=False)
    assert two["core_seconds"]["probe"] == pytest.approx(2 * one["core_seconds"]["probe"])
    assert cost_of_run(declared, (bad,), panels={})["unknown"] == [name]
