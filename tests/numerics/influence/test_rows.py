import pytest

from rare_neurons.models.influence.probe import ProbeResult
from rare_neurons.models.recorders.behaviour import QUANTITIES
from rare_neurons.numerics.influence import rows
from rare_neurons.numerics.influence.rows import PER_NEURON, PER_TARGET
from rare_neurons.tables.schema import MEANING, row_schema

ROWS = (
    "InfluenceRow",
    "CellRow",
    "MomentRow",
    "BehaviourRow",
    "BehaviourSummaryRow",
    "ActivationRow",
    "GradientRow",
)


@pytest.mark.parametrize("name", ROWS)
def test_every_column_says_what_it_means(name):
    assert all(field.metadata[MEANING] for field in row_schema(name, getattr(rows, name)))


def test_every_quantity_of_a_target_has_its_recorder():
    assert set(PER_TARGET) == set(QUANTITIES)


def test_every_quantity_of_a_neuron_comes_from_the_pass():
    assert set(PER_NEURON) <= set(ProbeResult.__dataclass_fields__)
    assert "neuron" not in PER_NEURON


def test_a_cell_of_behaviour_is_a_summary_with_its_place():
    of_cell, of_all = (row_schema(n, getattr(rows, n)).names for n in ("BehaviourRow", "BehaviourSummaryRow"))
    assert sorted(of_cell) == sorted([*of_all, "fold", "type_bin"])


def test_lists_over_neurons_are_stored_narrow():
    schema = row_schema("CellRow", rows.CellRow)
    assert {str(schema.field(name).type.value_type) for name in ("influence_sum", "within_sum")} == {"float"}
