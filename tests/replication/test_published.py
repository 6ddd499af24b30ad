from rare_neurons.replication.published import NOT_JUDGED, survives
from tests.replication.tree import SERVES


def test_every_published_claim_has_a_reading_and_a_verdict(tree, cells):
    rows = {row[0]: row[1:] for row in cells(survives(tree))}
    assert len(rows) == 11
    fits = rows["the three-regime form fits"]
    assert fits[:4] == ["Huber form, R²", "0.990", "0.990", "0.990"]
    assert fits[-1] == "smooth law rejected in 1 of 2 runs"  # whose last good step is 8
    assert rows["the exponent of that line tells of specialisation"][1:4] == ["2.00; 1.50", "1.00", "2.00"]
    alike = rows["neurons begin alike and differentiate"]
    assert alike[1:5] == ["0.56; 0.48", "0.40", "0.56", "0.41"]
    assert alike[-1] == NOT_JUDGED
    assert rows["some neurons serve rare tokens"][-1] == f"{SERVES}: beyond control, p = 0.020"
    weights = rows["weights of plateau neurons grow heavy-tailed (W_in)"]
    assert weights[-1].startswith("beyond random sets and placebo in 0 of 2 runs and 0 of 2 controls")
    together = rows["plateau neurons act together, scattered over the layer, without routing by attention"]
    assert together[1:] == ["–", "–", "–", "–", NOT_JUDGED]


def test_shares_of_the_fixed_cuts_are_those_of_noise(tree, cells):
    first = cells(survives(tree))[0]
    assert first[2] == "25.0 % / 50.0 % / 25.0 %"  # as the hand-made table has it
    assert first[5] == "82.5 % / 17.5 % / 0.0 %"
