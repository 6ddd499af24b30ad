"""``targets: [spectra]``: weights alone, without a tokenizer, a corpus or a panel."""

import json

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from rare_neurons import load_integrity, load_timeline
from rare_neurons.configuration import SECTIONS, check_config, complete_config, dated_columns
from rare_neurons.errors import RequestError
from tests.workflow.project import Project, make_project
from tools.configuration import SCHEMA, read_yaml

pytestmark = pytest.mark.pipeline

STEPS = [0, 10, 20]
MODEL = {"source": "folder", "path": "runs/m/checkpoint-{step}"}
NARROW = {"source": "folder", "path": "runs/narrow/checkpoint-{step}"}
"""Its matrices have too few eigenvalues for an exponent."""
QUICK = {"refits": 0, "likelihood_ratios": False, "farms_windows": 0, "shuffles": 0}


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Project:
    """Three checkpoints that drift from a random start, in a folder with nothing else."""
    project = make_project(tmp_path_factory.mktemp("spectra") / "project")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, width in (("m", 24), ("narrow", 16)):
            model = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=16, n_embd=width, n_layer=1, n_head=2))
            for step in STEPS:
                model.save_pretrained(project.folder / f"runs/{name}/checkpoint-{step}")
                with torch.no_grad():
                    for parameter in model.parameters():
                        parameter.add_(0.01 * torch.randn_like(parameter))
    config = {"targets": ["spectra"], "models": {"m": MODEL, "narrow": NARROW}, "spectra": QUICK}
    (project.folder / "own.yaml").write_text(json.dumps(config))
    project.run("--configfile", "own.yaml")
    return project


def test_exponents_integrity_and_their_figures_are_there_and_nothing_of_text(measured):
    results = measured.folder / "results"
    assert set(load_timeline(results, "spectra", format="arrow").to_pydict()["step"]) == set(STEPS)
    found = {m: load_timeline(results, "alpha", models=m, format="arrow").to_pydict()["alpha"] for m in ("m", "narrow")}
    assert None not in found["m"]
    assert set(found["narrow"]) == {None}
    verdicts = load_integrity(results, models="m", format="arrow").to_pylist()
    assert [(row["step"], row["status"], row["canary_loss"]) for row in verdicts] == [(s, "ok", None) for s in STEPS]
    for subject in ("m", "narrow"):
        assert {path.name for path in (results / "figures" / subject).glob("*.png")} == {"alpha.png", "integrity.png"}
    assert "m" in (results / "summary.txt").read_text()
    made = {path.name for path in results.iterdir()}
    assert not made & {"text", "corpus", "panel", "tokenizer", "influence", "behaviour", "regimes", "null_tables"}


def test_it_passes_its_check_and_a_second_run_has_nothing_to_do(measured):
    assert measured.check().returncode == 0
    assert "Nothing to be done" in measured.run("--configfile", "own.yaml").stdout


TEXT = {
    "corpora": {"t": {"source": "text", "paths": ["*.txt"]}},
    "tokenizers": {"t": {"source": "folder", "path": "t"}},
    "panels": {"p": {"corpus": "t", "tokenizer": "t"}},
}


def refusal(**sections: object) -> str:
    """What is wrong with a configuration of sections on analysis.yaml."""
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), sections)
    with pytest.raises(RequestError) as caught:
        check_config(config, SCHEMA, sections=SECTIONS, legal=dated_columns())
    return str(caught.value)


def test_with_influence_what_is_missing_is_named():
    assert "section 'panels' is missing" in refusal(models={"m": MODEL})
    said = refusal(models={"m": MODEL}, **TEXT)
    assert "models.m: key 'tokenizer' is missing; only spectra (targets: [spectra]) do without" in said


def test_influence_alone_is_refused():
    said = refusal(targets=["influence"], models={"m": {**MODEL, "tokenizer": "t"}}, **TEXT)
    assert "spectra must be among them" in said
