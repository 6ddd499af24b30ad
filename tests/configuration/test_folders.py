"""Folders that a run must not or cannot write to."""

import pytest

from rare_neurons.configuration.folders import bad_folders


def problems(results="results", cache="cache"):
    return list(bad_folders({"results": results, "cache": {"folder": cache}}))


@pytest.mark.parametrize(
    "name", ["results", "runs/a", "/data/me/results/", "../results", "a b", "./results", ".results"]
)
def test_a_folder_of_its_own_is_allowed(name):
    assert problems(name) == []


@pytest.mark.parametrize(
    "name", ["", "/", "//", ".", "..", "../..", "/.", " results", "results\n", "{model}/a", "~/results"]
)
def test_anything_else_is_named(name):
    (text,) = problems(name)
    assert text.startswith(f"results: {name!r} is not allowed; a folder of its own is needed")


def test_the_cache_is_asked_too_and_is_not_the_results():
    assert problems(cache="/")[0].startswith("cache.folder: '/' is not allowed; a folder of its own is needed")
    assert problems("out/", "./out") == [
        "cache.folder: './out' is not allowed; it is the results folder, choose another"
    ]
