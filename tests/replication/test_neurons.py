from rare_neurons.replication.neurons import hill_by_size, inequality, noise_share, set_spectra


def test_hill_by_size_shows_the_bands(tree, cells):
    rows = cells(hill_by_size(tree))
    assert [row[0] for row in rows] == ["2", "4", "8", "16"]
    assert all(len(row) == 4 for row in rows)


def test_sets_show_first_and_last_step_beside_random_sets(tree, cells):
    rows = cells(set_spectra(tree))
    assert [row[:2] for row in rows] == [[tree.label(m), w] for m in tree.runs for w in ("W_in", "W_out")]
    # Hill index 3.5 at step 0 and 1.5 at 16, which alone is below 2.
    assert rows[0][2:] == ["3.50", "3.00", "1.50", "3.00 (2.00 – 4.00)", "1 of 4", "0.200", "0.040"]
    assert rows[2][4:7] == ["2.50", "3.00 (2.00 – 4.00)", "0 of 3"]


def test_inequality_shows_start_height_and_end(tree, cells):
    rows = cells(inequality(tree))
    assert [row[:2] for row in rows] == [[tree.label(m), s] for m in tree.runs for s in ("rare", "common")]
    assert rows[0][2:] == ["0.40", "0.56 (16)", "0.56", "0.30", "17.0 (16)", "8.0", "17.0", "8.0", "20 (15 – 30)"]


def test_noise_share_counts_neurons_beyond_their_error(tree, cells):
    rows = cells(noise_share(tree))
    # Effects at step 16 are 3.4e-3 / rank; all are beyond 3e-5. The error is constant: no correlation.
    assert rows[0] == ["a-seed0, step 16", "–", "40 of 40"]
