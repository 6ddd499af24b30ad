"""Checkpoints in which neurons serve rare tokens from a known step on, through the whole pipeline."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import GPTNeoXConfig

from benchmarks.planted.plant import Plant, fit_plant, influence_floor, initialise, training_contexts, write_series
from rare_neurons import load_evidence, load_timeline
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.stages.on_panel import load_panel
from rare_neurons.stages.probe import settings_of
from rare_neurons.tables import read_table
from tests.workflow.project import CONFIG, Project, copy_project
from tools.configuration import read_yaml

pytestmark = pytest.mark.pipeline

STEPS, PLANTED_STEP = [0, 1, 2, 3, 4], 2
K, FLOORS = 5, 8
"""Planted neurons, and the root mean square over the layer that they make, in standard errors of the tiny panel."""
NOISE = 0.02  # of every weight at every checkpoint, as a share of its matrix's standard deviation
PANELS = {"heldout": CONFIG["panels"]["heldout"] | {"targets_per_stratum": 350, "max_targets_per_document": 30}}
"""More targets than elsewhere: among 150, a few types decide what is seen of one run."""
QUESTION = "mean within-stratum influence on rare tokens"
SEEDS, NULLS = (0, 1, 2), (3, 4, 5)


class World:
    """Untrained networks of the tiny shape, its panel, and what is planted in them."""

    def __init__(self, project: Project) -> None:
        self.folder, results = project.folder / "run", project.folder / "results"
        corpus, rules = results / "corpus/texts/bpe", CONFIG["panels"]["heldout"]["strata"]
        self.shape = GPTNeoXConfig.from_pretrained(results / "pretrain/tiny-seed0/step0")
        tables = {name: str(results / f"panel/heldout/{name}.parquet") for name in ("contexts", "targets")}
        self.panel = load_panel(**tables, unigram=str(corpus / "unigram.parquet"), rules=rules)
        stratum = assign_strata(read_table(corpus / "unigram.parquet")["count"].to_numpy(), rules)
        self.rare = stratum == tuple(rules).index("rare")
        self.text = training_contexts(corpus / "tokens.parquet", length=CONFIG["panels"]["heldout"]["context_length"])

    def write(self, name: str, seed: int, *, planted: bool) -> Plant | None:
        """Write the series of a seed; return what was planted."""
        base = initialise(self.shape, self.folder / f"base{seed}", seed=seed)
        plant = self.plant(base, seed) if planted else None
        write_series(
            base, self.folder / name, steps=STEPS, seed=seed, noise=NOISE, plant=plant, planted_step=PLANTED_STEP
        )
        return plant

    def plant(self, base: Path, seed: int) -> Plant:
        settings = settings_of({**read_yaml("config/analysis.yaml")["probe"], "placebo_draws": 0})
        found = probe_model(load_model(base, dtype=torch.float32), self.panel, settings)
        floor = influence_floor(found, self.panel.strata.index("rare"))
        effect = FLOORS * floor * np.sqrt(self.shape.intermediate_size / K)
        return fit_plant(base, self.text, self.rare, k=K, effect=effect, signs="one", seed=seed)


@pytest.fixture(scope="module")
def measured(finished, tmp_path_factory) -> tuple[Path, dict[str, set[int]]]:
    """Results of three planted series and three of noise alone, and the planted neurons of each."""
    project = copy_project(finished, tmp_path_factory.mktemp("planted") / "project")
    project.configure(panels=PANELS)
    project.run("results/panel/heldout/targets.parquet")
    world = World(project)
    source = {"source": "folder", "tokenizer": "bpe", "steps": STEPS}
    models, truth = {}, {}
    for seed in (*SEEDS, *NULLS):
        name = f"planted-seed{seed}" if seed in SEEDS else f"null-seed{seed}"
        role = {"subject": "planted"} if seed in SEEDS else {"subject": "null", "control_of": "planted"}
        plant = world.write(name, seed, planted=seed in SEEDS)
        truth |= {} if plant is None else {name: set(plant.neurons.tolist())}
        models[name] = {**source, "path": f"run/{name}/step{{step}}", **role}
    share = {"lineage": {"share": K / world.shape.intermediate_size}}
    cheap = {"spectra": {"refits": 0, "likelihood_ratios": False, "shuffles": 0}}
    # A job for each series: starting a job costs as much as a tiny checkpoint.
    project.configure(models=models, panels=PANELS, jobs={"checkpoints": len(STEPS)}, **share, **cheap)
    project.run(
        *(f"results/timelines/evidence/{subject}.parquet" for subject in ("planted", "null")),
        *(f"results/timelines/{table}/{name}.parquet" for name in truth for table in ("members", "changed")),
    )
    return project.folder / "results", truth


def reached(results: Path, subject: str) -> pd.Series:
    """Highest tier of every question."""
    return load_evidence(results, subjects=subject).groupby("question", dropna=False).reached.first()


def test_what_is_planted_is_found_beyond_the_nulls(measured):
    assert reached(measured[0], "planted")[QUESTION] in ("beyond_control", "specific")


def test_every_run_is_dated_to_the_planted_step(measured):
    onsets = load_timeline(measured[0], "onsets", models="planted")
    mine = onsets[(onsets.question == QUESTION) & (onsets.role == "run")]
    assert mine.status.tolist() == ["dated"] * len(SEEDS)
    assert ((mine.after < PLANTED_STEP) & (mine.by >= PLANTED_STEP)).all(), mine[["run", "after", "by"]]


def test_members_are_the_planted_neurons(measured):
    results, truth = measured
    for name, neurons in truth.items():
        members = load_timeline(results, "members", models=name, stratum="rare")
        assert len(neurons & set(members.neuron)) > K / 2, name


def test_the_change_is_spread_over_as_many_neurons_as_were_planted(measured):
    changed = load_timeline(measured[0], "changed", models=sorted(measured[1]), stratum="rare")
    known = changed.effective_number_within[changed.effective_number_within_status == "ok"]
    # On the tiny panel the mean square of one of three runs is within two of its standard errors.
    assert len(known) >= 2
    assert known.between(K / 2, 2 * K).all(), known.tolist()


def test_noise_alone_reaches_nothing_beyond_single_runs(measured):
    assert set(reached(measured[0], "null").dropna()) <= {"run"}
