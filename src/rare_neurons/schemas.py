"""Arrow schemas of the per-checkpoint tables; `results/README.md` says what each column means."""

import pyarrow as pa

from rare_neurons.numerics.organisation.group_spectra import GroupSpectrum
from rare_neurons.numerics.spectra.spectrum import Spectrum
from rare_neurons.tables import schema_of

_CHECKPOINT = [("model", pa.string()), ("step", pa.int64())]
_PANEL = [("panel", pa.string()), *_CHECKPOINT]
INFLUENCE_VALUES = (
    "influence",
    "influence_se",
    "influence_a",
    "influence_b",
    "abs_influence",
    "direct_influence",
    "abs_direct_influence",
    "influence_within",
    "influence_expected",
    "truncation_bound",
    "rounding_bound",
    "exact_fraction",
)
BEHAVIOUR_VALUES = ("loss", "entropy", "kl_model_to_unigram", "kl_unigram_to_model")

INFLUENCE = pa.schema(
    [*_PANEL, ("neuron", pa.int64()), ("stratum", pa.string()), ("n_targets", pa.int64()), ("n_types", pa.int64())]
    + [(name, pa.float64()) for name in INFLUENCE_VALUES]
)
FOLDS = pa.schema(
    [*_PANEL, ("stratum", pa.string()), ("fold", pa.int64()), ("half", pa.string()), ("n_targets", pa.int64())]
    + [(name, pa.list_(pa.float32())) for name in ("influence_sum", "within_sum")]
)
BEHAVIOUR = pa.schema(
    [*_PANEL, ("stratum", pa.string()), ("fold", pa.int64()), ("n_targets", pa.int64())]
    + [(name, pa.float64()) for name in BEHAVIOUR_VALUES]
)
ACTIVATIONS = pa.schema(
    [*_PANEL, ("neuron", pa.int64()), ("activation_mean", pa.float64()), ("activation_variance", pa.float64())]
)
GRADIENTS = pa.schema([*_PANEL, ("stratum", pa.string()), ("gradient", pa.list_(pa.float64()))])
SPECTRA = schema_of(
    Spectrum,
    [*_CHECKPOINT, ("layer", pa.int64()), ("matrix", pa.string()), ("rows", pa.int64()), ("cols", pa.int64())],
)
SPECTRA = SPECTRA.set(2, pa.field("layer", pa.int64()))  # embedding and unembedding belong to no layer
GROUPS = schema_of(GroupSpectrum, [*_PANEL, ("stratum", pa.string()), ("matrix", pa.string())])
FINGERPRINT = pa.schema(
    [
        *_CHECKPOINT,
        ("tensor", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("norm", pa.float64()),
        ("n_nonfinite", pa.int64()),
        ("sha256", pa.string()),
        ("projection", pa.list_(pa.float64())),
    ]
)
