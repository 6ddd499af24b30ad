"""How neurons of a language model specialise on rare tokens while it trains."""

import importlib

_PUBLIC = {
    **dict.fromkeys(
        (
            "load_timeline",
            "load_shards",
            "load_influence",
            "load_spectra",
            "load_integrity",
            "load_claims",
            "list_models",
        ),
        "results",
    ),
    **{
        f"plot_{name}": f"figures.{name}"
        for name in (
            "alpha",
            "claims",
            "differentiation",
            "emergence",
            "influence",
            "integrity",
            "lineage",
            "loss",
            "rank_curves",
        )
    },
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    # Loaded on first use: the workflow imports this package often and needs neither Arrow nor matplotlib for it.
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
