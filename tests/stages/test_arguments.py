from rare_neurons.stages.arguments import arguments, in_lists


class Named:
    """What Snakemake hands over: names and values, and no mapping."""

    def items(self):
        return iter((("manifest", "m.json"), ("version", 3)))


def test_lists_are_merged_without_the_version():
    assert arguments(Named(), {"share": 0.05, "version": 1}) == {"manifest": "m.json", "share": 0.05}


def test_a_later_list_wins():
    assert arguments({"a": 1, "b": 2}, {"a": 3}) == {"a": 3, "b": 2}


def test_a_job_of_one_checkpoint_has_lists_of_one_path():
    job = {"manifests": "m.json", "targets": "t.parquet", "version": 3}
    assert in_lists(job, "manifests") == {"manifests": ["m.json"], "targets": "t.parquet"}
    assert in_lists({"influence": "a", "cells": ["b", "c"]}) == {"influence": ["a"], "cells": ["b", "c"]}


def test_places_become_paths_and_marks_are_no_arguments():
    places = {"shards": [("r/a/{panel}/m/step{step}", ["p", "q"], [0, 2]), ("r/b/m/step{step}", [""], ["0-2"])]}
    found = arguments({"measured": ["mark"], "integrity": "i"}, {"places": places})
    paths = ["r/a/p/m/step0", "r/a/p/m/step2", "r/a/q/m/step0", "r/a/q/m/step2", "r/b/m/step0-2"]
    assert found == {"integrity": "i", "shards": paths}
