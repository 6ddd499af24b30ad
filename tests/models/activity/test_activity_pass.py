from dataclasses import replace

import numpy as np
import torch

from rare_neurons.models.activity.activity_pass import run_activity
from rare_neurons.models.activity.reading import choose_contexts, choose_rows
from rare_neurons.models.activity.taps import tapped_mlps
from tests.models.activity.streams import capture
from tests.models.tiny import random_model, random_panel


def test_one_pass_gives_the_rows_and_the_counts_of_every_layer():
    model, panel = random_model("gpt2"), random_panel(n_contexts=48, per_stratum=200)
    contexts = choose_contexts(panel.fold, 0.75)
    rows = choose_rows(panel, contexts, most=20)
    done = []
    run = run_activity(model, panel, contexts, at=(rows.context, rows.position), batch_size=7, progress=done.append)
    seen = {}
    ids = torch.from_numpy(panel.token_ids[contexts])
    with torch.no_grad(), tapped_mlps(model, lambda layer, pre, post: seen.__setitem__(layer, (pre, post))):
        model(input_ids=ids)
    for layer, counts in enumerate(run.counts):
        pre, post = (values.reshape(*ids.shape, -1) for values in seen[layer])
        active = (pre > 0)[:, panel.min_position :].sum((0, 1))
        assert counts.n_active.sum(0).tolist() == active.tolist()
        np.testing.assert_allclose(
            counts.sd, post[:, panel.min_position :].flatten(0, 1).std(0, correction=0), rtol=1e-9
        )
    place = np.searchsorted(contexts, rows.context)
    np.testing.assert_allclose(run.captured.activations, seen[1][1].reshape(*ids.shape, -1)[place, rows.position])
    assert done[-1] == len(contexts) == len(run.text.token_ids)
    assert run.text.part.tolist() == (panel.fold[contexts] >= 6).tolist()
    assert capture(model, panel).activations.shape[1] == run.captured.activations.shape[1]


def test_where_targets_stand_at_the_first_positions_activations_count_from_the_third_on():
    model, panel = random_model("gpt2"), replace(random_panel(n_contexts=48, per_stratum=200), min_position=0)
    contexts = choose_contexts(panel.fold, 0.75)
    rows = choose_rows(panel, contexts, most=20)
    run = run_activity(model, panel, contexts, at=(rows.context, rows.position), batch_size=7)
    n_positions = panel.token_ids.shape[1]
    assert run.text.min_position == 2
    assert run.text.n_positions.sum() == len(contexts) * (n_positions - 2)
