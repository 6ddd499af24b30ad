from pathlib import Path

from rare_neurons.stages.cache import cache_place


def test_a_gigabyte_of_the_budget_is_ten_to_the_ninth():
    assert cache_place({"folder": "cache", "disk_gb": 1.5}) == {
        "cache_dir": Path("cache"),
        "budget_bytes": 1_500_000_000,
    }
