from rare_neurons.replication.claims import NOT_JUDGED, survives


def test_every_published_claim_has_a_reading_and_a_verdict(tree, cells):
    rows = {row[0]: row[1:] for row in cells(survives(tree))}
    assert len(rows) == 11
    fits = rows["the three-regime form fits"]
    assert fits[:4] == ["Huber form, R²", "0.990", "0.990", "0.990"]
    assert fits[-1] == "not detected, p = 0.400"
    assert rows["the exponent of that line tells of specialisation"][1:4] == ["2.00; 1.50", "1.00", "2.00"]
    assert rows["inequality is about rare tokens"][-1] == "supported, p = 0.001"
    alike = rows["neurons begin alike and differentiate"]
    assert alike[1:5] == ["0.56; 0.48", "0.40", "0.56", "0.41"]
    assert alike[-1] == "not identifiable: 2 run(s), but a claim over training needs 3 or more seeds"
    together = rows["plateau neurons act together, scattered over the layer, without routing by attention"]
    assert together[1:] == ["–", "–", "–", "–", NOT_JUDGED]


def test_shares_of_the_fixed_cuts_are_those_of_noise(tree, cells):
    first = cells(survives(tree))[0]
    assert first[2] == "25.0 % / 50.0 % / 25.0 %"  # as the hand-made table has it
    assert first[5] == "82.5 % / 17.5 % / 0.0 %"
