"""What rules need of the configuration, against the rules and the tables themselves."""

import re

from rare_neurons.configuration import ONSET_COLUMNS, SECTIONS
from rare_neurons.metrics import METRICS, load
from rare_neurons.schemas import BEHAVIOUR
from rare_neurons.stages.timelines import INFLUENCE_SUMMARY
from rare_neurons.tables import schema_of
from tools.configuration import ROOT, SCHEMA

RULES = [ROOT / "Snakefile", *sorted(ROOT.glob("workflow/rules/*.smk"))]
SCRIPTS = sorted(ROOT.glob("workflow/scripts/*.py"))


def test_every_section_that_is_read_must_be_there():
    texts = [path.read_text() for path in (*RULES, *SCRIPTS)]
    read = {name for text in texts for name in re.findall(r"""config\[["'](\w+)["']\]""", text)}
    assert {"models", "spectra", "claims"} <= read
    metrics = {metric.name for metric in METRICS}
    assert read | metrics == SECTIONS.keys() | {"recipes"}  # read only for a model that names one, which is checked
    assert set(SECTIONS) | {"recipes"} == set(SCHEMA["properties"])


def test_the_rules_that_read_a_section_exist():
    texts = [path.read_text() for path in RULES]
    rules = {name for text in texts for name in re.findall(r"^rule (\w+):", text, flags=re.MULTILINE)}
    assert {rule for readers in SECTIONS.values() for rule in readers} <= rules | {metric.name for metric in METRICS}


def test_columns_that_may_be_dated_are_those_of_their_table():
    differentiation = next(m for m in METRICS if m.name == "differentiation").tables["differentiation"]
    schemas = {
        "behaviour": BEHAVIOUR,
        "influence": INFLUENCE_SUMMARY,
        "differentiation": schema_of(load(differentiation)),
    }
    assert ONSET_COLUMNS.keys() == schemas.keys()
    for table, columns in ONSET_COLUMNS.items():
        assert set(columns) <= set(schemas[table].names), table
