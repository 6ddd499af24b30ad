"""How neurons of a language model specialise on rare tokens while it trains: results read, and models measured.

``load_…`` and `list_models` read a results folder and need pandas and pyarrow alone; ``plot_…`` draw it; `make_panel`,
``measure_…`` and `MeasureCallback` work on a model in memory. Everything is imported on first use.
"""

import importlib

_LOADERS = (
    "load_timeline",
    "load_shards",
    "load_influence",
    "load_spectra",
    "load_integrity",
    "load_evidence",
    "list_models",
)
_MEASURES = {
    "make_panel": "api.panel",
    "measure_influence": "api.influence",
    "measure_layers": "api.layers",
    "measure_spectra": "api.spectra",
    "MeasureCallback": "api.callback",
}
"""What works on models in memory, and the modules that it is in."""


def _plots() -> dict[str, str]:
    """Public functions of figures, and the modules that they are in."""
    registry = importlib.import_module(f"{__name__}.figures.registry")
    return {f"plot_{figure.name}": f"figures.{figure.name}" for figure in registry.FIGURES}


def __getattr__(name: str) -> object:
    # Loaded on first use: the workflow imports this package often and needs neither Arrow nor matplotlib for it.
    if name == "__all__":
        return [*_LOADERS, *_MEASURES, *_plots()]
    known = dict.fromkeys(_LOADERS, "results") | _MEASURES | (_plots() if name.startswith("plot_") else {})
    if name not in known:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{known[name]}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{__name__}.{name} needs {error.name}, which is not installed; pip install 'rare-neurons[run]'"
        ) from error


def __dir__() -> list[str]:
    return sorted([*globals(), *__getattr__("__all__")])
