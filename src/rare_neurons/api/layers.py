"""The influence of every neuron, head and sublayer of every layer of a model in memory."""

from collections.abc import Callable, Mapping

from numpy.typing import ArrayLike
from transformers import PreTrainedModel

from rare_neurons.api.influence import panel_of
from rare_neurons.api.measurement import Measurement, about_tables, unplaced
from rare_neurons.api.model import at_rest, digest_of_model, plain_model
from rare_neurons.api.options import LAYERS, completed
from rare_neurons.api.panel import Panel
from rare_neurons.models.layers.heads import HeadOptions, measure_heads
from rare_neurons.models.layers.measure import LayerOptions
from rare_neurons.models.layers.measure import measure_layers as measure_columns
from rare_neurons.models.loading import check_length
from rare_neurons.selection import refuse
from rare_neurons.stages.layers import OUTPUTS
from rare_neurons.stages.on_panel import batch_size_of, own_strata
from rare_neurons.tables import from_columns


def measure_layers(
    model: PreTrainedModel,
    token_ids: ArrayLike | Panel,
    *,
    strata: Mapping[str, object] | None = None,
    counts: ArrayLike | None = None,
    documents: ArrayLike | None = None,
    options: Mapping[str, object] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    **draw: object,
) -> Measurement:
    """Measure what the loss gains by every MLP neuron of every layer, and by every head and sublayer.

    Neurons by gradients and second orders, of each layer the strongest and some at random ablated exactly, which says
    how wrong the rest is; heads and sublayers exactly (docs/methods/layers.md). The last layer's certified values are
    `measure_influence`'s.

    Parameters
    ----------
    model : PreTrainedModel
        As for `measure_influence`, but in float32 or float64.
    token_ids, strata, counts, documents, progress, **draw
        As for `measure_influence`.
    options : mapping, optional
        Keys of section ``layers`` of the configuration (config/README.md) but for its steps, and ``batch_size``.
        ``strata`` are by default the panel's first and last.

    Returns
    -------
    Measurement
        ``to_pandas()``: one row per layer, neuron and stratum. Further tables: layer_audit, heads. Figure: ``layers``.

    Raises
    ------
    RequestError
        If the model, the token ids or an option cannot be used.
    DataFault
        If activations, gradients or losses are not finite.
    """
    network = plain_model(model)
    asked = completed("measure_layers", LAYERS, options)
    panel = panel_of(token_ids, {"strata": strata, "counts": counts, "documents": documents}, draw)
    known = panel.arrays.strata
    wanted = [known[0], known[-1]] if asked["strata"] is None else asked["strata"]
    wanted = list(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted))
    if unknown := [name for name in wanted if name not in known]:
        refuse("stratum", unknown, known, "the panel")
    check_length(network, panel.arrays.token_ids.shape[1])
    at_once = batch_size_of(asked)
    own = own_strata({**asked, "strata": wanted}, dict.fromkeys(known)) | {"batch_size": at_once}
    heads = HeadOptions(strata=own["strata"], contexts=own["contexts"], batch_size=at_once)
    with at_rest(network):
        found = measure_columns(network, panel.arrays, LayerOptions(**own), progress=progress)
        columns = {"layer_influence": found.influence, "layer_audit": found.audit}
        columns["heads"] = measure_heads(network, panel.arrays, heads, progress)
    place = {"panel": "", "model": "", "step": 0}
    tables = {name: unplaced(name, from_columns(name, place, columns[name])) for name in OUTPUTS}
    dtype = str(network.dtype).removeprefix("torch.")
    params = {**asked, "strata": wanted, "dtype": dtype, "strata_of_panel": panel.rules["strata"]}
    inputs = {"parameters": digest_of_model(network), "panel": panel.digest}
    about = about_tables("layers", dict.fromkeys(OUTPUTS, params), inputs, dtype=dtype, device=network.device.type)
    return Measurement(tables, about)
