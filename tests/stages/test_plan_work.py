"""Costs against what was measured: the demo, and Pythia's shapes in docs/scale.md."""

from dataclasses import replace

import pytest

from rare_neurons.stages.plan_shape import Shape
from rare_neurons.stages.plan_work import (
    ModelWork,
    Options,
    PanelLoad,
    bytes_of_model,
    core_speed,
    probe_seconds,
    seconds_of_model,
    seconds_of_run,
)

SPEED = 105e9  # of the core on which these were measured (docs/scale.md)
OPTIONS = Options(placebo_draws=4, shuffles=1, farms_windows=4, n_permutations=999, share=0.05)
DEMO = ModelWork(
    Shape(2, 64, 256, 2048),
    n_checkpoints=12,
    in_a_job=12,
    panels=(PanelLoad(500 * 128, 12_000, 3, 128),),
    trained_tokens=1000 * 8 * 128,
    n_updates=1000,
    layers=(PanelLoad(30 * 128, 12_000, 3, 128),) * 2,
    intervals=(PanelLoad(24 * 128, 12_000, 3, 128),) * 2,
    audited=31,
    options=OPTIONS,
)


def test_the_demo_costs_about_what_it_cost():
    """Core-seconds of five models and two subjects: 774 in all, of which probes 302, trainings 237, metrics 46."""
    stages = seconds_of_model(DEMO, SPEED)
    once = seconds_of_run(2)
    assert 5 * sum(stages.values()) + sum(once.values()) == pytest.approx(774, rel=0.15)
    for stage, measured in (("probe", 302), ("pretrain", 237), ("metrics", 46)):
        assert 5 * stages[stage] == pytest.approx(measured, rel=0.25)
    assert 5 * bytes_of_model(DEMO) == pytest.approx(170e6, rel=0.2)


@pytest.mark.parametrize(("shape", "measured"), [(Shape(6, 512, 2048, 50304), 170), (Shape(12, 768, 3072, 50304), 425)])
def test_probes_of_pythia_are_those_of_the_cost_model(shape, measured):
    load = PanelLoad(512 * 256, 24_000, 3, 256)
    assert probe_seconds(shape, load, OPTIONS, SPEED) == pytest.approx(measured, rel=0.25)


def test_more_checkpoints_in_a_job_start_fewer_processes_and_nothing_asked_costs_nothing():
    one_each = seconds_of_model(replace(DEMO, in_a_job=1), SPEED)
    together = seconds_of_model(DEMO, SPEED)
    assert one_each["probe"] - together["probe"] == pytest.approx(11 * 4.0)  # imports of torch and transformers
    spectra = seconds_of_model(ModelWork(DEMO.shape, 12, 12), SPEED)
    assert set(spectra) == {"spectra", "timelines"}


def test_the_speed_of_this_core_is_one_of_a_core():
    assert 1e8 < core_speed() < 1e13
