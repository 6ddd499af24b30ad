"""weightwatcher's own tail fit, run with its side effects undone."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from rare_neurons.numerics.spectra.power_law import MIN_LOG_EXCESS, PowerLawFit, admit_sample, no_fit


def fit_with_weightwatcher(values: ArrayLike) -> PowerLawFit:
    """Fit ``values`` with ``weightwatcher.WW_powerlaw.WWFit`` and name its failures.

    Same conditions as ``fit_power_law``: weightwatcher itself reports an identity matrix as a success with an infinite
    alpha and changes its estimator below 20 values; both are refused here by status, as in our fit.

    Raises
    ------
    ValueError
        If ``values`` is not one-dimensional or not finite.
    ImportError
        If weightwatcher is not installed.
    """
    x = admit_sample(values)
    if isinstance(x, PowerLawFit):
        return x
    with quiet():
        from weightwatcher.WW_powerlaw import WWFit

        with np.errstate(all="ignore"):
            fit = WWFit(x)
    alpha, n_tail = float(fit.alpha), int(fit.N - np.argmin(fit.Ds))
    if not 1 < alpha < 1 + 1 / MIN_LOG_EXCESS:
        reason = f"weightwatcher's alpha is {alpha:g}, but an exponent lies between 1 and 1e6"
        return no_fit(x.size, "no_power_law", reason)
    return PowerLawFit(alpha, float(fit.xmin), float(fit.D), n_tail, int(x.size), "ok", "")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Undo what importing weightwatcher does to the process: warning filters, root handlers and level, printing."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
