"""How neurons of a language model specialise on rare tokens while it trains."""

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


def _plots() -> dict[str, str]:
    """Public functions of figures, and the modules that they are in."""
    registry = importlib.import_module(f"{__name__}.figures.registry")
    return {f"plot_{figure.name}": f"figures.{figure.name}" for figure in registry.FIGURES}


def __getattr__(name: str) -> object:
    # Loaded on first use: the workflow imports this package often and needs neither Arrow nor matplotlib for it.
    if name == "__all__":
        return [*_LOADERS, *_plots()]
    module = "results" if name in _LOADERS else _plots().get(name) if name.startswith("plot_") else None
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__getattr__("__all__")])
