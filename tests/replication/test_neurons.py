from rare_neurons.replication.neurons import (
    hill_by_size,
    inequality,
    noise_share,
    role_claims,
    role_effect,
    role_positions,
    roles,
    set_spectra,
)


def test_hill_by_size_shows_the_bands(tree, cells):
    rows = cells(hill_by_size(tree))
    assert [row[0] for row in rows] == ["2", "4", "8", "16"]
    assert all(len(row) == 4 for row in rows)


def test_groups_show_first_and_last_step_beside_random_groups(tree, cells):
    rows = cells(set_spectra(tree))
    assert [row[:2] for row in rows] == [[m, w] for m in tree.runs for w in ("W_in", "W_out")]
    # Hill index 3.5 at step 0 and 1.5 at 16, which alone is below 2.
    assert rows[0][2:] == ["3.50", "3.00", "1.50", "3.00 (2.00 – 4.00)", "1 of 4", "0.200"]
    assert rows[2][4:7] == ["2.50", "3.00 (2.00 – 4.00)", "0 of 3"]


def test_inequality_shows_start_height_and_end(tree, cells):
    rows = cells(inequality(tree))
    assert [row[:2] for row in rows] == [[m, s] for m in tree.runs for s in ("rare", "common")]
    assert rows[0][2:] == ["0.40", "0.56 (16)", "0.56", "1.0", "17.0 (16)", "8.0", "17.0", "8.0"]


def test_noise_share_counts_neurons_beyond_their_error(tree, cells):
    rows = cells(noise_share(tree))
    # Effects at step 16 are 3.4e-3 / rank; all are beyond 3e-5. The error is constant: no correlation.
    assert rows[0] == ["a-seed0, step 16", "–", "40 of 40"]


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
    assert len(rows) == 3 * 2 * 2
    assert rows[0][:3] == ["a-seed0, step 16", "rare token predicted", "5.00"]
    assert rows[3][1] == "common token read"


def test_role_claims_are_those_of_both_panels(tree, cells):
    rows = cells(role_claims(tree))
    assert [row[1] for row in rows] == ["predicted", "read"]
    assert rows[0][2:] == ["0.2", "0.15 – 0.25", "0.01", "0.02", "0.001", "supported"]
