"""Checkpoints with other tensors than most."""

from rare_neurons.numerics.integrity.tensors import unlike_the_others

USUAL = (("a", (2, 3)), ("b", (4,)))


def test_names_and_shapes_that_most_do_not_have_are_named():
    found = unlike_the_others([USUAL, (("a", (3, 2)), ("b", (4,))), USUAL, None, (*USUAL, ("c", ()))])
    assert found == {
        1: "1 tensors differ in name or shape from the other steps', first 'a'",
        4: "1 tensors differ in name or shape from the other steps', first 'c'",
    }


def test_nothing_read_is_nothing_odd():
    assert unlike_the_others([None, None]) == {}
    assert unlike_the_others([USUAL, USUAL]) == {}
