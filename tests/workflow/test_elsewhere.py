"""A second clone, or a copied results folder: Snakemake has no records of its files, so they speak for themselves."""

import shutil

import pytest

pytestmark = pytest.mark.pipeline
BINS = {"n_draws": 100, "n_bins": 9, "n_resamples": 50}


@pytest.fixture
def clone(project):
    """The finished results beside a workflow that has not run."""
    shutil.rmtree(project.folder / ".snakemake")
    return project


def test_results_of_the_same_configuration_are_taken(clone):
    assert "Nothing to be done" in clone.run("--dry-run").stdout


def test_results_of_other_parameters_are_refused_then_measured_again(clone):
    clone.configure(regimes=BINS)
    for mode in ("--dry-run", "--touch"):
        out = clone.run(mode, expect=1).stdout
        assert "9 files in results are not what is asked for, and no run on record here has made them" in out
        assert "n_bins: 12 in the file, 9 asked" in out
    done = clone.check("--config", "config/config.yaml", "--set-aside")
    assert done.returncode == 1
    assert "9 stale" in done.stdout
    jobs = clone.rules_run("--dry-run")
    assert any(name.startswith("metrics") for name in jobs)
    assert not [name for name in jobs if name.startswith(("probe", "pretrain", "panel", "spectra"))]


def test_results_of_other_parameters_are_adopted_on_request(clone):
    clone.configure(regimes=BINS)
    assert "files are taken as they are" in clone.check("--config", "config/config.yaml", "--adopt").stdout
    assert "Nothing to be done" in clone.run("--dry-run").stdout


def test_the_whole_configuration_lies_beside_the_results(project, finished):
    noted = (finished.folder / "results/config.yaml").read_text()
    assert "n_bins: 12" in noted
    assert "tolerance_se: 0.1" in noted  # of analysis.yaml
    assert project.check().returncode == 0
