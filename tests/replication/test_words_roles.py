from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.replication.answers import worded
from rare_neurons.replication.published import NOT_JUDGED
from rare_neurons.replication.words_roles import of_answers, of_effects, of_published, of_roles


def test_roles_are_compared_where_both_agree_with_themselves():
    rows = [["a, step 1", "0.5", "0.2", "0.1", "0.41", "7 of 19", "0.9"]]
    rows += [["b, step 1", "0.2", "0.2", "0.1", "0.23", "9 of 19", "0.9"]]
    rows += [["c (control), step 1", "−0.1", "0.1", "0.3", "–", "6 of 19", "0.9"]]
    said = of_roles(rows)
    assert "In 2 of 2 runs" in said
    assert "agree by 0.23 to 0.41 without noise, and of the top 19 neurons 7 to 9 are shared (0.9 by chance)" in said
    assert "In 0 of 1 controls the quadrants agree" in said
    assert said.endswith("Their other columns mean nothing.")


def test_effects_are_ratios_within_a_run_and_role():
    def pair(label, role, rare, common):
        return [[label, f"{s} token {role}", "5", rms, w] for s, (rms, w) in (("rare", rare), ("common", common))]

    rows = pair("a, step 1", "predicted", ("1.2", "0.3"), ("0.4", "0.3"))
    rows += pair("b, step 1", "predicted", ("1.0", "0.4"), ("0.5", "0.2"))
    rows += pair("c (control), step 1", "predicted", ("9", "9"), ("1", "1"))
    said = of_effects(rows)
    assert said.startswith(
        "By the token predicted, rms influence on rare tokens is 2.0 to 3.0 times that on common ones"
    )
    assert "has 25 to 40 % of that size" in said
    assert "read" not in said


def answered(role, tier):
    return ["question", role, "1 of 1", "–", "–", "–", "–", "–", "–", tier, "–"]


def test_a_tier_is_named_only_where_a_question_ends_there():
    for tier in TIERS:
        said = of_answers([answered("predicted", worded(tier)), answered("predicted", worded(None))])
        assert said == f"By the token predicted, questions by their highest tier: {worded(tier)} (1) and none (1)."
    assert of_answers([["–"] * 11]) == ""


def test_claims_that_noise_fulfils_are_those_with_the_same_value():
    row = ["claim", "convention", "33 and 33", "33", "33", "33 and 33", "smooth law rejected in 0 of 2 runs"]
    other = ["another", "convention", "0.99", "33", "33", "0.98", NOT_JUDGED]
    none = ["a third", "convention", "–", "–", "–", "–", NOT_JUDGED]
    said = of_published([row, other, none])
    assert (
        said == "Noise gives the very value of the runs for 1 of 3 claims: claim. No test of ours is about 2 of them."
    )
