"""What rules need of the configuration, against the rules and the tables themselves."""

import re
from typing import get_args, get_type_hints

import pyarrow as pa

from rare_neurons.catalogue import AT_DECLARED_STEPS, METRICS, TIMELINES, load
from rare_neurons.configuration import SECTIONS, dated_columns
from rare_neurons.tables import table_schema
from tools.configuration import ROOT, SCHEMA

RULES = [ROOT / "Snakefile", *sorted(ROOT.glob("workflow/rules/*.smk"))]
# What rules and scripts call for a section.
PLACES = ("origins/asked.py", "stages/checkpoint_job.py", "configuration/needed.py")
WORDS = [ROOT / "src/rare_neurons" / name for name in PLACES]
SCRIPTS = sorted(ROOT.glob("workflow/scripts/*.py"))


def test_every_section_that_is_read_must_be_there():
    texts = [path.read_text() for path in (*RULES, *SCRIPTS, *WORDS)]
    read = {name for text in texts for name in re.findall(r"""config\[["'](\w+)["']\]""", text)}
    assert {"models", "spectra", "regimes"} <= read
    metrics = {metric.name for metric in METRICS}
    read |= metrics | {"set_spectra"}  # the rules of one job read them together
    read |= set(AT_DECLARED_STEPS)  # by the name of the rule
    assert read == SECTIONS.keys() | {"recipes"}  # read only for a model that names one, which is checked
    assert set(SECTIONS) | {"recipes"} == set(SCHEMA["properties"])


def test_the_rules_that_read_a_section_exist():
    texts = [path.read_text() for path in RULES]
    named = r"""(?:^rule (\w+):|(?:batch|training)\.rule\("(\w+)"\))"""
    rules = {a or b for text in texts for a, b in re.findall(named, text, flags=re.MULTILINE)}
    together = {metric.name for metric in METRICS} | {"set_spectra"}
    assert {rule for readers in SECTIONS.values() for rule in readers} <= rules | together


def test_columns_that_may_be_dated_are_numbers_of_their_timeline():
    assert {"behaviour", "moments"} <= dated_columns().keys()
    for quantity, columns in dated_columns().items():
        schema = table_schema(f"timelines/{quantity}")
        assert all(schema.field(column).type in (pa.float64(), pa.int64()) for column in columns), quantity


def test_marked_columns_are_in_timelines_that_an_onset_can_read():
    """A mark on a table with several rows per stratum would promise what the onset stage cannot do."""
    for name, table in TIMELINES.items():
        hints = get_type_hints(load(table.row), include_extras=True).values()
        marked = any(get_args(hint)[1].dated for hint in hints)
        assert not marked or table.keys == ("stratum",), name
