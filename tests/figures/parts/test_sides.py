import pandas as pd

from rare_neurons.figures.parts.sides import by_side, of_side


def read(models):
    return pd.DataFrame({"model": [model for model in models if model != "bad"]})


def test_runs_and_controls_are_read_apart_and_each_only_where_there_is_something():
    both = by_side(["a", "b"], ["c", "a"], read)
    assert {side: table.model.tolist() for side, table in both.items()} == {"runs": ["a", "b"], "controls": ["c"]}
    assert list(by_side(["a"], ["bad"], read)) == ["runs"]
    assert by_side(["bad"], [], read) == {}


def test_a_title_says_the_side_unless_there_are_runs_alone():
    assert of_side("runs", {"runs": read(["a"])}) == ""
    assert of_side("controls", {"controls": read(["a"])}) == "\ncontrols"
    assert of_side("runs", {"runs": read(["a"]), "controls": read(["b"])}) == "\nruns"
