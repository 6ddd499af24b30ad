"""The catalogue against the workflow's rules, and against the code that it names."""

import re
from dataclasses import is_dataclass
from pathlib import Path

from rare_neurons.catalogue import METRICS, QUANTITIES, RULES, TABLES, TIMELINES, VERSIONS, Table, load

WORKFLOW = Path(__file__).parents[1] / "workflow" / "rules"
TEXT = "\n".join(path.read_text() for path in sorted(WORKFLOW.glob("*.smk")))
COMPUTES_NOTHING = {"plan", "prefetch", "measured"}
ENTRIES = {**TABLES, **TIMELINES}


def test_names_and_paths_are_unique():
    tables = [table for rule in RULES for table in rule.tables] + list(TIMELINES.values())
    for values in ([rule.name for rule in RULES], [t.name for t in tables], [t.path for t in tables]):
        assert len(values) == len(set(values))


def test_the_workflow_has_the_rules_of_the_catalogue_and_no_other():
    written = set(re.findall(r"^(?:local)?rule (\w+):", TEXT, re.MULTILINE)) - COMPUTES_NOTHING
    written |= set(re.findall(r'(?:batch|training)\.rule\("(\w+)"\)', TEXT))
    together = {rule.name for rule in METRICS} | {"set_spectra"}
    assert written - {"metrics"} | together == set(VERSIONS)
    assert written & together == set()  # one job, `metrics`, writes the tables of all of them


def test_every_rule_is_run_again_when_its_version_is_raised():
    assert set(re.findall(r'VERSIONS\["(\w+)"\]', TEXT)) == set(VERSIONS) - {rule.name for rule in METRICS} - {
        "set_spectra"
    }
    assert 'OF_INFLUENCE = ("set_spectra", *(metric.name for metric in METRICS))' in TEXT
    assert "versions={rule: VERSIONS[rule] for rule in OF_INFLUENCE}" in TEXT


def test_rows_and_what_computes_them_are_there():
    for name, entry in ENTRIES.items():
        assert is_dataclass(load(entry.row)), name
        assert callable(load(entry.computed_in)), name


def test_metrics_have_a_function():
    for rule in METRICS:
        assert callable(load(rule.metric)), rule.name


def test_the_quantities_are_tables_of_checkpoints_and_have_a_timeline_each():
    assert set(QUANTITIES) < set(TABLES)
    assert list(TIMELINES) == [f"timelines/{name}" for name in QUANTITIES]
    assert all({"model", "step"} <= set(TABLES[name].place) for name in QUANTITIES)
    assert not set(TIMELINES) & set(TABLES)


def test_files_that_lie_apart_hold_rows_that_say_where_they_belong():
    ends = {"interval": ("step_before", "step")}
    for name, entry in ENTRIES.items():
        apart = {column for word in entry.wildcards for column in ends.get(word, (word,))}
        assert not entry.place or apart <= set(entry.place), name


def test_a_table_is_named_after_its_folders():
    table = Table("a/{x}/b/{y}/step{z}.parquet", "grain", "m:Row", "m:f", ("k",))
    assert (table.name, table.wildcards) == ("a/b", ("x", "y", "z"))
    assert Table("a/{x}/b.parquet", "grain", "m:Row", "m:f", ("k",)).name == "a/b"
