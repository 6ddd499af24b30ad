import numpy as np
import pytest

from rare_neurons.atlas.arrays import unpack
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import NothingToShow
from rare_neurons.atlas.views import neurons
from rare_neurons.atlas.views.neurons import build, thinned
from rare_neurons.tables import empty_table, write_rows
from tests.figures.questions import CONTROL, RUNS, STEPS
from tests.figures.tree import N_NEURONS, STRATA, effect


def test_every_model_has_influence_and_errors_of_every_neuron_at_every_step(tree):
    content = build(tree)
    assert content.facts["steps"] == {model: list(STEPS) for model in (*RUNS, CONTROL)}
    expected = np.array([[effect(CONTROL, step, stratum) for stratum in STRATA] for step in STEPS])
    for part, scale, error in (("whole", 1, 1e-5), ("within", 1 / 4, 5e-6)):
        np.testing.assert_allclose(unpack(content.arrays[f"{part}:{CONTROL}"]), expected * scale, rtol=2.0**-11)
        # All errors are equal: the one level is theirs.
        np.testing.assert_allclose(unpack(content.arrays[f"{part}_se:{CONTROL}"]), error, rtol=1e-12)


def test_where_there_is_no_room_steps_are_left_out_and_it_is_said(tree, monkeypatch):
    of_step = 4 * neurons._VALUE * len(STRATA) * 3 * N_NEURONS
    monkeypatch.setattr(neurons, "_LARGEST", 3.5 * of_step)
    content = build(tree)
    assert content.facts["steps"][RUNS[0]] == [0, 8, 16]
    assert unpack(content.arrays[f"whole:{RUNS[0]}"]).shape == (3, len(STRATA), N_NEURONS)
    assert "it carries 3 of 4 steps" in content.html


@pytest.mark.parametrize(("most", "kept"), [(9, [1, 2, 3, 4, 5]), (5, [1, 2, 3, 4, 5]), (3, [1, 3, 5]), (2, [1, 5])])
def test_the_first_and_the_last_step_stay(most, kept):
    assert thinned([1, 2, 3, 4, 5], most) == kept


def test_a_bad_checkpoint_is_unknown(tree, tmp_path):
    write_rows("influence", empty_table("influence"), tmp_path / "influence/heldout/m/step0.parquet", {})
    values = neurons._read({0: tmp_path / "influence/heldout/m/step0.parquet"}, [0], list(STRATA), 3)
    assert all(np.isnan(one).all() for one in values.values())


def test_where_every_checkpoint_is_bad_it_is_said(tree, tmp_path):
    write_rows("influence", empty_table("influence"), tmp_path / "influence/heldout/a-seed0/step0.parquet", {})
    with pytest.raises(NothingToShow, match="No checkpoint could be measured"):
        build(Tree(tmp_path, tree.subjects, "heldout"))


def test_without_influence_it_is_said(tree):
    with pytest.raises(NothingToShow, match="the target 'influence' of the configuration asks for it"):
        build(Tree(tree.results, tree.subjects, "other"))
