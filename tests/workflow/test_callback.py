"""A training that measures itself, and the workflow that comes after it."""

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, Trainer, TrainingArguments

from rare_neurons.api.callback import MeasureCallback
from rare_neurons.check import read_configuration
from rare_neurons.stages.probe import OUTPUTS as PROBED
from rare_neurons.stages.spectra import OUTPUTS as OF_WEIGHTS
from tests.workflow.project import CONFIG, Project, copy_project

pytestmark = pytest.mark.pipeline
STEPS = [0, 1, 3]
MODELS = {
    **CONFIG["models"],
    "mine": {"source": "folder", "path": "runs/mine/checkpoint-{step}", "tokenizer": "bpe", "steps": "found"},
}
MEASURED = {*PROBED, *OF_WEIGHTS}


def train(project: Project, monkeypatch: pytest.MonkeyPatch, callbacks: list) -> None:
    """Three updates of the tiny architecture on random tokens, in the project's folder."""
    monkeypatch.chdir(project.folder)
    torch.manual_seed(7)
    config = AutoConfig.from_pretrained("results/pretrain/tiny-seed0/step0")
    data = [{"input_ids": row, "labels": row} for row in torch.randint(0, 400, (16, 32))]
    arguments = TrainingArguments(
        "runs/mine",
        max_steps=3,
        per_device_train_batch_size=4,
        save_only_model=True,
        report_to=[],
        use_cpu=True,
        seed=7,
    )
    trainer = Trainer(AutoModelForCausalLM.from_config(config), arguments, train_dataset=data, callbacks=callbacks)
    trainer.train()


def shards(project: Project) -> dict[str, Path]:
    """Shards of the model's checkpoints that weights were opened for."""
    root = project.folder / "results"
    found = {path.relative_to(root): path for path in root.glob("**/mine/step*.*") if ".kept" not in path.parts}
    return {str(name): path for name, path in found.items() if name.parts[0] in {*MEASURED, "manifest"}}


def test_the_workflow_takes_what_the_training_has_measured(finished, tmp_path, monkeypatch):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the rules have
    try:
        project, later = (copy_project(finished, tmp_path / name) for name in ("during", "afterwards"))
        for one in (project, later):
            one.configure(models=MODELS)
            config = read_configuration(one.folder / "results", [str(one.folder / "config/config.yaml")])
            monkeypatch.chdir(one.folder)
            callback = MeasureCallback("results", "mine", steps=STEPS, config=config)
            if one is later:  # the same checkpoints, measured by the workflow alone
                monkeypatch.setattr(callback, "_measure", lambda model, step: None)
            train(one, monkeypatch, [callback])
    finally:
        torch.set_num_threads(threads)
    written = {name: path.read_bytes() for name, path in shards(project).items()}
    assert len(written) == len(STEPS) * (len(MEASURED) + 1)
    assert shards(later) == {}
    jobs = project.rules_run("--dry-run")
    assert not {"probe", "spectra", "resolve"} & set(jobs), jobs
    assert jobs["metrics"] == len(STEPS)
    wrong = [line for line in project.check().stdout.splitlines() if "mine/" in line and "missing" not in line]
    assert wrong == []
    jobs = later.rules_run(*(f"results/{name}" for name in written))
    assert (jobs["resolve"], jobs["probe"], jobs["spectra"]) == (len(STEPS),) * 3
    assert {name: path.read_bytes() for name, path in shards(later).items()} == written
