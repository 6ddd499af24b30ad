from rare_neurons.replication.setting import panels, runs
from tests.replication.tree import N_NEURONS


def test_every_run_has_its_size_and_good_checkpoints(tree, cells):
    rows = cells(runs(tree))
    assert rows[0] == ["a-seed0", str(N_NEURONS), "24", "4", "16"]
    assert rows[1][3:] == ["3", "8"]  # 16 is quarantined
    assert [row[0] for row in rows[2:]] == ["shuffled (control)", "shuffled-b (control)"]


def test_every_stratum_of_every_panel_has_its_effective_numbers(tree, cells):
    rows = cells(panels(tree))
    assert [row[:2] for row in rows[:2]] == [["heldout", "common"], ["heldout", "rare"]]
    assert ["half", "top", "288", "40", "33"] in rows
    assert len(rows) == 2 * len(tree.panels)
