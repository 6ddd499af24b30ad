"""Sizes of a model that is to be measured, without opening its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rare_neurons.checkpoints.files import read_config
from rare_neurons.checkpoints.layout import is_weight_file
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.errors import DataFault
from rare_neurons.families import family_of
from rare_neurons.families.bounds import check_config, expected_shapes

_BYTES_PER_PARAMETER = 2  # ASSUME: public checkpoints are in half precision
_NEURONS_PER_WIDTH = 4  # ASSUME: as in GPT-2 and Pythia, where nothing says otherwise
_VOCABULARY = 50_304  # ASSUME: Pythia's, where no tokenizer is there
_WIDTH_PER_LAYER = 64  # ASSUME: where only the bytes are known; 43 to 142 in Pythia


@dataclass(frozen=True)
class Shape:
    """Sizes that decide what a measurement costs."""

    n_layers: int
    width: int
    n_neurons: int
    n_vocab: int

    @property
    def of_blocks(self) -> int:
        """Parameters of all blocks."""
        return self.n_layers * (4 * self.width**2 + 2 * self.width * self.n_neurons)

    @property
    def n_parameters(self) -> int:
        """Parameters, norms and biases left out."""
        return self.of_blocks + 2 * self.n_vocab * self.width

    @property
    def matrices(self) -> list[tuple[int, int]]:
        """Longer and shorter side of every matrix that has a spectrum."""
        d, n = self.width, self.n_neurons
        block = 4 * [(d, d)] + 2 * [(max(d, n), min(d, n))]
        return self.n_layers * block + 2 * [(max(self.n_vocab, d), min(self.n_vocab, d))]


def shape_of_recipe(recipe: Mapping[str, object], n_vocab: int) -> Shape:
    """Sizes of a model that is trained here."""
    return Shape(*(int(recipe[key]) for key in ("n_layers", "hidden_size", "mlp_size")), n_vocab)


def shape_of_files(manifests: Sequence[Manifest], n_neurons: int | None, n_vocab: int | None) -> Shape | None:
    """Sizes by the first checkpoint that tells them, else by its bytes; None where no checkpoint is good.

    Parameters
    ----------
    manifests : sequence of Manifest
        Of one model.
    n_neurons, n_vocab : int or None
        What the configuration and a tokenizer say, for a model whose `config.json` is not here.
    """
    good = [manifest for manifest in manifests if manifest.status == "ok"]
    for manifest in good:
        shape = _by_config(Path(manifest.location)) if manifest.source == "folder" else None
        if shape is not None:
            return shape
    return _by_bytes(good[-1], n_neurons, n_vocab or _VOCABULARY) if good else None


def _by_config(folder: Path) -> Shape | None:
    try:
        config = read_config(folder)
        family = family_of(config)
        check_config(family, config)
    except (DataFault, OSError):
        return None
    shapes = expected_shapes(family, config)
    n_neurons, width = shapes["W_in"]
    return Shape(int(config[family.n_layers_key]), width, n_neurons, shapes["W_E"][0])


def _by_bytes(manifest: Manifest, n_neurons: int | None, n_vocab: int) -> Shape:
    """Solve parameters = blocks + embeddings for the number of layers, and for the width where that is not known."""
    n_parameters = sum(file.size for file in manifest.files if is_weight_file(file.name)) / _BYTES_PER_PARAMETER
    per_layer = 4 + 2 * _NEURONS_PER_WIDTH
    width = n_neurons // _NEURONS_PER_WIDTH if n_neurons else 1
    while not n_neurons and per_layer * width**3 / _WIDTH_PER_LAYER + 2 * n_vocab * width < n_parameters:
        width += max(1, width // 64)
    layers = (n_parameters - 2 * n_vocab * width) / (per_layer * width**2)
    return Shape(max(1, round(layers)), width, n_neurons or _NEURONS_PER_WIDTH * width, n_vocab)
