"""What runs again, and what does not, when something changes."""

import pytest

from rare_neurons import load_timeline
from tests.workflow.project import NO_FIGURES, make_project

pytestmark = pytest.mark.pipeline

# All timelines of a model are one job, so what reads one of them (alpha) comes again too.
AFTER_METRICS = {"measured", "timelines", "alpha", "evidence", "figures", "atlas", "summary", "usable", "all"}
OUTER = """
configfile: "config/config.yaml"

module house:
    snakefile: "Snakefile"
    config: config

use rule * from house as house_*

rule mine:
    default_target: True
    input: "results/timelines/lineage/tiny-seed0.parquet"
"""
MEASURED = {"probe", "pretrain", "resolve", "panel", "corpus", "text", "tokenizer"}


def test_nothing_runs_twice(project):
    assert "Nothing to be done" in project.run().stdout


def test_a_changed_option_of_regimes_reruns_regimes_and_what_follows(project):
    config = project.configure()
    project.configure(regimes={**config["regimes"], "n_bins": 10})
    unchanged = project.folder / "results/.kept/inequality/heldout/tiny-seed0/step2.parquet"
    before = unchanged.stat().st_ino
    jobs = project.rules_run(*NO_FIGURES)
    assert jobs["metrics"] == 1
    assert set(jobs) <= AFTER_METRICS | {"metrics"}
    assert unchanged.stat().st_ino == before, "what does not depend on the option is not computed again"


def test_shards_lost_behind_finished_timelines_are_made_again(project, finished):
    for table in ("influence", "inequality", "curves"):
        (project.folder / f"results/{table}/heldout/tiny-seed0/step2.parquet").unlink()
    project.run(*NO_FIGURES)
    assert project.tables() == finished.tables()


@pytest.mark.parametrize(
    ("lost", "rule", "target"),
    [
        ("influence/heldout/tiny-seed0/step2.parquet", "probe", "timelines/lineage"),
        ("cells/heldout/tiny-seed0/step2.parquet", "probe", "timelines/lineage"),
        ("manifest/tiny-seed0/step2.json", "resolve", "integrity"),
    ],
)
def test_what_is_lost_is_made_again_for_one_table_that_reads_it(project, lost, rule, target):
    """Whether the mark of its stage names it or another output of its job."""
    (project.folder / "results" / lost).unlink()
    project.raise_version(target.split("/")[-1])
    assert project.rules_run("--dry-run", "--", f"results/{target}/tiny-seed0.parquet")[rule] == 1


def test_what_is_lost_is_made_again_in_a_workflow_that_has_this_one_as_a_module(project):
    """Its own rule is the target there, which names no shards."""
    (project.folder / "results/cells/heldout/tiny-seed0/step2.parquet").unlink()
    project.raise_version("lineage")
    (project.folder / "outer.smk").write_text(OUTER)
    assert project.rules_run("--dry-run", "--snakefile", "outer.smk")["house_probe"] == 1


def test_what_is_made_again_for_one_table_leaves_nothing_to_do_for_it(project):
    (project.folder / "results/cells/heldout/tiny-seed0/step2.parquet").unlink()
    target = "results/timelines/lineage/tiny-seed0.parquet"
    project.raise_version("lineage")
    project.run("--", target)
    assert "Nothing to be done" in project.run("--", target).stdout


def test_a_run_that_ends_after_new_shards_leaves_their_readers_to_the_next(project):
    """Marks hold nothing, and Snakemake takes files of the same bytes for unchanged."""
    project.raise_version("layers")
    project.run("--until", "measured")
    jobs = project.rules_run("--dry-run", *NO_FIGURES)
    assert jobs["timelines"] == jobs["layer_evidence"] == 1
    assert not {"layers", "measured"} & set(jobs)


def test_a_raised_version_of_regimes_reruns_regimes(project):
    project.raise_version("regimes")
    jobs = project.rules_run("--dry-run")
    assert jobs["metrics"] == jobs["figures"] == 1
    assert set(jobs) <= AFTER_METRICS | {"metrics"}


def test_a_raised_version_of_spectra_reruns_spectra_and_integrity(project):
    project.raise_version("spectra")
    jobs = project.rules_run("--dry-run")
    assert jobs["spectra"] == 1
    assert not MEASURED & set(jobs)
    assert "metrics" not in jobs


def test_a_second_panel_trains_nothing_again(project):
    config = project.configure()
    panel = config["panels"]["heldout"]
    project.configure(panels={"heldout": panel, "seed1": {**panel, "seed": 1}})
    jobs = project.rules_run(*NO_FIGURES)
    assert jobs["panel"] == 1
    assert jobs["probe"] == 1
    assert not {"pretrain", "resolve", "spectra", "text", "corpus"} & set(jobs)
    influence = load_timeline(project.folder / "results", "influence")
    assert sorted(set(influence.panel)) == ["heldout", "seed1"]
    assert len(influence) == 2 * 3 * 3


def test_a_panel_drawn_by_a_run_that_then_stopped_is_probed_by_the_next(project):
    config = project.configure()
    panel = config["panels"]["heldout"]
    project.configure(panels={"heldout": panel, "seed1": {**panel, "seed": 1}})
    project.run("results/panel/seed1/targets.parquet")
    jobs = project.rules_run("--dry-run")
    assert jobs["probe"] == 1
    assert "pretrain" not in jobs


def test_two_fresh_runs_give_equal_bytes(finished, tmp_path):
    again = make_project(tmp_path / "a place with another name" / "project")
    again.run(*NO_FIGURES)
    assert again.tables() == finished.tables()
