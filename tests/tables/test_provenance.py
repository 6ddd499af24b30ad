from rare_neurons.tables import provenance


def test_provenance_does_not_depend_on_the_order_of_keys():
    one = provenance("r", 1, {"a": 1, "b": 2}, {"x": "0", "y": "1"})
    two = provenance("r", 1, {"b": 2, "a": 1}, {"y": "1", "x": "0"})
    assert one == two
    assert provenance("r", 1, {"a": 2, "b": 2}, {})["params_sha256"] != one["params_sha256"]
    assert one["params"] == {"a": 1, "b": 2}
    assert one["inputs"] == {"x": "0", "y": "1"}
