from rare_neurons.replication.roles import role_effect, role_evidence, role_positions, roles
from tests.replication.tree import LOSS, SERVES


def test_role_positions_are_shares_of_predicted_tokens(tree, cells):
    assert cells(role_positions(tree)) == [
        ["common", "50.0 %", "25.0 %", "25.0 %"],
        ["rare", "25.0 %", "75.0 %", "0.0 %"],
    ]


def test_equal_panels_agree_in_every_neuron(tree, cells):
    rows = cells(roles(tree))
    assert rows[0] == ["a-seed0, step 16", *["1.00"] * 4, "2 of 2", "0.1"]


def test_role_effect_has_a_row_per_run_role_and_stratum(tree, cells):
    rows = cells(role_effect(tree))
    assert len(rows) == 4 * 2 * 2
    assert rows[0][:3] == ["a-seed0, step 16", "rare token predicted", "5.00"]
    assert rows[3][1] == "common token read"


def test_role_evidence_shows_every_tier_of_both_panels(tree, cells):
    rows = cells(role_evidence(tree))
    assert [row[:2] for row in rows] == [[q, role] for q in (SERVES, LOSS) for role in ("predicted", "read")]
    assert rows[0][2:6] == ["2 of 2", "1 of 2", "0.0002", "0.00015 – 0.00025"]
    assert rows[0][6:] == ["0.004", "0.020", "0.300", "beyond control", "specific: p = 0.300"]
    # Of logarithms: the factor. The other tiers were not asked.
    assert rows[2][2:6] == ["1 of 2", "1 of 2", "×2", "×3 – ×4"]
    assert rows[2][6:] == ["0.004", "–", "–", "none", "run: not in most of the runs"]
