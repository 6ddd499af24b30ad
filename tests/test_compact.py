"""Loaders give the same from one file of all shards as from the shards."""

import pytest
from typer.testing import CliRunner

from rare_neurons.cli import app
from rare_neurons.compact import compact_shards
from rare_neurons.errors import RequestError
from rare_neurons.results import MissingSteps, load_influence, load_shards
from rare_neurons.tables import Part, empty_table, parts_of, table_schema, write_rows, write_table

STRATA = ("common", "rare")


@pytest.fixture
def results(tmp_path):
    """Influence of two models on two panels; one checkpoint is bad. Spectra of one model."""
    for model, steps in (("a", (0, 2, 16)), ("b", (0, 2))):
        for panel in ("p", "q"):
            for step in steps:
                path = tmp_path / f"influence/{panel}/{model}/step{step}.parquet"
                write_table(shard(panel, model, step), path, {}, keys=["panel", "model", "step", "stratum", "neuron"])
    write_rows("influence", empty_table("influence"), tmp_path / "influence/p/a/step2.parquet", {})
    write_rows("spectra", empty_table("spectra"), tmp_path / "spectra/a/step0.parquet", {})
    return tmp_path


def shard(panel, model, step):
    schema = table_schema("influence")
    place = {"panel": panel, "model": model, "step": step}
    rows = [place | {"stratum": s, "neuron": n} for s in STRATA for n in range(3)]
    rest = {field.name: None for field in schema if field.name not in rows[0]}
    columns = {name: [row.get(name) for row in rows] for name in [*rows[0], *rest]}
    numbers = {name: [7 * step + i for i in range(len(rows))] for name in rest if name in schema.names}
    return empty_table("influence").schema.empty_table().from_pydict(columns | numbers, schema=schema)


CHOICES = [
    {},
    {"models": "b"},
    {"models": ["b", "a"], "steps": [0, 2]},
    {"panel": "q", "stratum": "rare", "columns": ["influence"]},
    {"steps": 16, "models": "a", "columns": ["neuron", "influence"], "panel": "p"},
    {"steps": 2, "models": "a", "panel": "p"},
    {"neuron": [0, 2], "columns": "model"},
]


def test_the_same_from_one_file_as_from_the_shards(results):
    before = [load_influence(results, format="arrow", **choice) for choice in CHOICES]
    written = compact_shards(results)
    assert [path.relative_to(results / "compact").as_posix() for path in written] == [
        *("influence/a.parquet", "influence/b.parquet"),
        "spectra/a.parquet",
    ]
    shards = sorted((results / "influence").glob("*/b/*"))
    (part,) = parts_of(results, "influence", "b", shards=shards, wanted=shards[:1])
    assert part == Part(written[1], (0,))
    for choice, due in zip(CHOICES, before, strict=True):
        found = load_influence(results, format="arrow", **choice)
        assert found.equals(due), choice
        assert found.schema.equals(due.schema), choice


def test_what_is_not_there_is_refused_all_the_same(results):
    compact_shards(results)
    with pytest.raises(RequestError, match=r"no stratum 'rear' in .*; near: rare"):
        load_influence(results, stratum="rear")
    with pytest.warns(MissingSteps, match="no step 16 of b"):
        load_influence(results, steps=[0, 16])


def test_a_new_checkpoint_is_read_from_its_shard(results):
    compact_shards(results, tables="influence", models="b")
    path = results / "influence/p/b/step32.parquet"
    write_table(shard("p", "b", 32), path, {}, keys=["panel", "model", "step", "stratum", "neuron"])
    assert set(load_shards(results, "influence", models="b").step) == {0, 2, 32}


def test_a_table_or_model_without_shards_is_refused(results):
    with pytest.raises(RequestError, match=r"no table 'influenc' in .*; near: influence"):
        compact_shards(results, tables=["influenc"])
    with pytest.raises(RequestError, match=r"no model 'c' in .*there: a, b"):
        compact_shards(results, tables="influence", models="c")


def test_the_command_says_how_many(results):
    done = CliRunner().invoke(app, ["compact", str(results), "--table", "influence"])
    assert done.exit_code == 0, done.output
    assert "2 files are written in" in done.output
