"""Snakemake's records in one database instead of a file for each output."""

import pytest

from tests.workflow.project import CONFIG

pytestmark = pytest.mark.pipeline

DB = ("--persistence-backend", "db")


def test_records_in_a_database_say_what_was_run_with_which_parameters(project, finished):
    # The copied folder has files as records, which the database does not know: the results speak for themselves.
    assert "Nothing to be done" in project.run(*DB).stdout
    target = "results/null_tables/64.parquet"
    assert project.rules_run(*DB, "--force", "--", target)["null_tables"] == 1
    assert not project.rules_run(*DB, "--dry-run", "--", target)
    project.configure(regimes=CONFIG["regimes"] | {"n_draws": 101})
    out = project.run(*DB, "--dry-run", "--", target).stdout
    assert "Params have changed since last execution" in out
    assert (project.folder / ".snakemake/metadata.db").exists()
