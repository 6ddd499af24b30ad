"""What the plan listed is taken by the jobs of its run, for a day."""

import os

from rare_neurons.checkpoints.listed import keep_listed, take_listed
from rare_neurons.checkpoints.sources import Source, resolve_steps


def test_jobs_take_what_the_plan_listed_but_for_a_day_and_nothing_that_was_missing(hub, tmp_path):
    source = Source("hub", "lab/pythia", endpoint=hub.url)
    zero, missing = resolve_steps("m", (0, 7), source)
    keep_listed(tmp_path, source, (zero, missing))
    assert take_listed(tmp_path, "m", 0, source) == zero
    assert take_listed(tmp_path, "m", 7, source) is None
    assert take_listed(tmp_path, "m", 0, Source("hub", "lab/other", endpoint=hub.url)) is None
    for path in tmp_path.rglob("*.json"):
        os.utime(path, (0, 0))
    assert take_listed(tmp_path, "m", 0, source) is None
