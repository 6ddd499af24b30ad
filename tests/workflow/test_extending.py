"""The worked diffs of docs/extending.md: each applies to a copy of the repository, is as small as it says, and runs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import transformers

from tests.workflow.project import CONFIG, ROOT, Project, copy_project
from tests.workflow.warm import warm

pytestmark = pytest.mark.pipeline

SECTION = re.compile(r"^## (.+?)\n.*?^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
DIFFS = dict(SECTION.findall((ROOT / "docs/extending.md").read_text()))
LIMITS = {"A metric": 4, "A family": 2, "A quantity of the forward pass": 4, "A figure": 3}
"""Files besides tests, with the page or caption that `make docs` rewrites."""
COPIED = ("docs", "tests", "tools", "benchmarks", "results/README.md", "pyproject.toml")
SHARD = "results/{}/heldout/tiny-seed0/step0.parquet"


def extended(finished: Project, folder: Path, section: str) -> Project:
    """A finished run in a whole copy of the repository, to which a diff was applied and nothing else."""
    project = copy_project(finished, folder)
    for name in COPIED:
        source, target = ROOT / name, project.folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    command = ["git", "apply", "--verbose", "-"]
    done = subprocess.run(command, cwd=project.folder, input=DIFFS[section], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    ask(project, "docs.make_tables")
    return project


def ask(project: Project, *arguments: str) -> str:
    """Run a module in the copy, on its own package."""
    path = os.pathsep.join([str(project.folder / "src"), str(project.folder)])
    # pytest's plugins are imported there already, and it warns that it cannot rewrite them.
    more = {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = warm().run([*arguments], project.folder, project.environment() | more)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def check(project: Project, test: str) -> None:
    """Run the diff's own test, and that the documentation is complete."""
    ask(project, "pytest", "-q", *(f"tests/{name}" for name in (test, "test_docs.py")))


def changed(project: Project) -> set[str]:
    """Files of the copy that are not the repository's, tests and what runs leave apart."""
    copy = project.folder
    found = [p for top in ("src", "workflow", "docs", "config") for p in (copy / top).rglob("*") if p.is_file()]
    names = {p.relative_to(copy).as_posix() for p in (*found, copy / "results/README.md")}
    names = {name for name in names if "__pycache__" not in name and name != "config/config.yaml"}
    return {n for n in names if not (ROOT / n).is_file() or (ROOT / n).read_bytes() != (copy / n).read_bytes()}


def test_every_diff_has_its_limit_here():
    assert DIFFS.keys() == LIMITS.keys()


def test_a_metric(finished, tmp_path):
    project = extended(finished, tmp_path / "project", "A metric")
    assert len(changed(project)) <= LIMITS["A metric"], changed(project)
    project.run(SHARD.format("sign_balance"), "results/timelines/sign_balance/tiny-seed0.parquet")
    rows = pq.read_table(project.folder / SHARD.format("sign_balance")).to_pylist()
    influence = pq.read_table(project.folder / SHARD.format("influence")).to_pandas()
    assert [row["stratum"] for row in rows] == ["common", "mid", "rare"]
    for row in rows:
        assert row["boost_share"] == (influence[influence.stratum == row["stratum"]].influence > 0).mean()
    assert pq.read_table(project.folder / "results/timelines/sign_balance/tiny-seed0.parquet").num_rows == 9
    check(project, "numerics/influence/test_sign_balance.py")


def test_a_family(finished, tmp_path):
    project = extended(finished, tmp_path / "project", "A family")
    assert len(changed(project)) <= LIMITS["A family"], changed(project)
    config = transformers.MistralConfig(
        vocab_size=400, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        intermediate_size=24, max_position_embeddings=32, sliding_window=None, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.MistralForCausalLM(config).save_pretrained(project.folder / "run/step0")
    model = {"source": "folder", "path": "run/step{step}", "tokenizer": "bpe", "steps": [0]}
    project.configure(models={**CONFIG["models"], "mistral": model})
    shards = [f"results/{name}/mistral/step0.parquet" for name in ("influence/heldout", "spectra")]
    project.run(*shards)
    influence, spectra = (pq.read_table(project.folder / shard) for shard in shards)
    assert influence.num_rows == 3 * 24
    assert set(spectra["matrix"].to_pylist()) >= {"W_E", "W_U", "W_gate", "W_in", "W_out"}


def test_a_quantity_of_the_forward_pass(finished, tmp_path):
    project = extended(finished, tmp_path / "project", "A quantity of the forward pass")
    assert len(changed(project)) <= LIMITS["A quantity of the forward pass"], changed(project)
    assert "probe" in project.rules_run(SHARD.format("behaviour"))
    table = pq.read_table(project.folder / SHARD.format("behaviour"))
    assert 0 < min(table["target_probability"].to_pylist()) < max(table["target_probability"].to_pylist()) < 1
    check(project, "models/recorders/test_target_probability.py")


def test_a_figure(finished, tmp_path):
    project = extended(finished, tmp_path / "project", "A figure")
    assert len(changed(project)) <= LIMITS["A figure"], changed(project)
    # The rule draws what the registry has: beside the new figure one of the old ones, not sixteen.
    few = '\n\nFIGURES = tuple(entry for entry in FIGURES if entry.name in ("loss", "entropy"))\n'
    registry = project.folder / "src/rare_neurons/figures/registry.py"
    whole = registry.read_text()
    registry.write_text(whole + few)
    project.run("results/figures/tiny/entropy.svg")
    registry.write_text(whole)
    # Matplotlib draws letters as outlines and keeps the text beside them as a comment.
    assert "<!-- entropy (nats) -->" in (project.folder / "results/figures/tiny/entropy.svg").read_text()
    (project.folder / "names.py").write_text("import rare_neurons\nprint(rare_neurons.__all__)\n")
    assert "plot_entropy" in ask(project, "names")
