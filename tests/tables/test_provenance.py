from rare_neurons.tables import digest_of_files, provenance


def test_provenance_does_not_depend_on_the_order_of_keys():
    one = provenance("r", 1, {"a": 1, "b": 2}, {"x": "0", "y": "1"})
    two = provenance("r", 1, {"b": 2, "a": 1}, {"y": "1", "x": "0"})
    assert one == two
    assert provenance("r", 1, {"a": 2, "b": 2}, {})["params_sha256"] != one["params_sha256"]
    assert one["params"] == {"a": 1, "b": 2}
    assert one["inputs"] == {"x": "0", "y": "1"}


def test_the_digest_of_files_is_of_their_content_in_order(tmp_path):
    for name, text in (("a", "x"), ("b", "y"), ("c", "x")):
        (tmp_path / name).write_text(text)
    one, two, again = ([tmp_path / name for name in names] for names in ("ab", "ba", "cb"))
    assert digest_of_files(one) == digest_of_files(again) != digest_of_files(two)
