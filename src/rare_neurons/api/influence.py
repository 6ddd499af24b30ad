"""The influence of every neuron of the final layer of a model in memory."""

from collections.abc import Callable, Mapping

from numpy.typing import ArrayLike
from transformers import PreTrainedModel

from rare_neurons.api.measurement import Measurement, about_tables, unplaced
from rare_neurons.api.model import at_rest, digest_of_model, plain_model
from rare_neurons.api.options import PROBE, completed
from rare_neurons.api.panel import Panel, make_panel
from rare_neurons.errors import RequestError
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import check_length
from rare_neurons.stages.on_panel import batch_size_of
from rare_neurons.stages.probe import OUTPUTS, probe_tables, settings_of


def measure_influence(
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
    """Measure what the loss of each stratum's tokens loses and gains by every neuron of the final MLP.

    One forward pass; each neuron's activation is replaced by its mean, with a certified error
    (docs/methods/influence.md). The model stays where it is and as it is: dtype, device, hooks, training mode,
    gradients and random numbers.

    Parameters
    ----------
    model : PreTrainedModel
        A causal language model of a known family (GPT-NeoX, GPT-2, OPT, Llama, OLMo-2), in any dtype, on any device.
    token_ids : array_like of int, shape (context, pos), or Panel
        Contexts, or a panel that `make_panel` has drawn: several models, or steps, are comparable on one panel alone.
    strata, counts, documents, **draw
        As for `make_panel`; not beside a panel.
    options : mapping, optional
        Keys of section ``probe`` of the configuration (config/README.md), but for dtype, device and placement.
    progress : callable, optional
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Measurement
        ``to_pandas()``: one row per stratum and neuron. Further tables: cells, behaviour (the losses), moments,
        activations, gradients. Figures: ``ranked``, ``strata``.

    Raises
    ------
    RequestError
        A `ValueError`: if the model, the token ids or an option cannot be used; says why and what can.
    DataFault
        If the network's outputs are not finite.

    Examples
    --------
    >>> found = measure_influence(model, ids, counts=counts)  # doctest: +SKIP
    >>> found.to_pandas().query("stratum == 'rare'").nlargest(5, "influence_within")  # doctest: +SKIP
    """
    network = plain_model(model)
    asked = completed("measure_influence", PROBE, options)
    panel = panel_of(token_ids, {"strata": strata, "counts": counts, "documents": documents}, draw)
    check_length(network, panel.arrays.token_ids.shape[1])
    batch_size = batch_size_of(asked)
    with at_rest(network):
        settings = settings_of(asked)
        tf32 = bool(asked["tf32"])
        result = probe_model(network, panel.arrays, settings, batch_size=batch_size, tf32=tf32, progress=progress)
    place = {"panel": "", "model": "", "step": 0}
    tables = {name: unplaced(name, table) for name, table in probe_tables(result, panel.arrays, place).items()}
    dtype = str(network.dtype).removeprefix("torch.")
    params = {**asked, "dtype": dtype, "device": network.device.type, "strata": panel.rules["strata"]}
    inputs = {"parameters": digest_of_model(network), "panel": panel.digest}
    facts = {"dtype": dtype, "tf32": tf32, "rounding_model": "deterministic"}
    return Measurement(tables, about_tables("probe", dict.fromkeys(OUTPUTS, params), inputs, **facts))


def panel_of(token_ids: ArrayLike | Panel, about: Mapping[str, object], draw: Mapping[str, object]) -> Panel:
    """Return the panel that is given, or draw one.

    Raises
    ------
    RequestError
        If a panel is given and how to draw one too.
    """
    if not isinstance(token_ids, Panel):
        return make_panel(token_ids, **about, **draw)
    given = [name for name, value in about.items() if value is not None] + list(draw)
    if given:
        raise RequestError(f"{', '.join(given)}: the panel is drawn already; give it to make_panel")
    return token_ids
