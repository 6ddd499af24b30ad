"""The error of another panel, against means that are drawn, and against the panels of the demo."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.precision import Shares, StratumSize, error_ratio, relative_variance


def drawn_variance(n_documents: int, n_types: int, per_cell: int, shares: Shares) -> float:
    """Variance of a mean over a full table of documents by types, over 4,000 draws; one target's variance is one."""
    rng = np.random.default_rng(0)
    shape = (4000, n_documents, n_types, per_cell)
    own = 1 - shares.document - shares.token_type
    document = np.sqrt(shares.document) * rng.standard_normal((4000, n_documents))
    token_type = np.sqrt(shares.token_type) * rng.standard_normal((4000, n_types))
    noise = np.sqrt(own / np.prod(shape[1:])) * rng.standard_normal(4000)
    return float(np.var(document.mean(1) + token_type.mean(1) + noise))


@pytest.mark.parametrize("shares", [Shares(0.0, 0.0), Shares(0.3, 0.1), Shares(0.02, 0.4)])
def test_the_variance_is_that_of_drawn_means(shares):
    size = StratumSize(12 * 8 * 3, 12, 8)
    # A variance of 4,000 draws is known to √(2/4000) = 2.2 %; four of these.
    assert relative_variance(size, shares) == pytest.approx(drawn_variance(12, 8, 3, shares), rel=0.09)


DEMO = {"common": StratumSize(4000, 122.5, 50.7), "mid": StratumSize(4000, 126.1, 455.5)}
HALF = {"common": StratumSize(2000, 119.0, 45.7), "mid": StratumSize(2000, 123.3, 413.0)}
QUARTER = {"common": StratumSize(1000, 115.2, 43.1), "mid": StratumSize(1000, 116.0, 337.4)}
# Median over 256 neurons of the standard error over that of the whole panel, total influence, steps 16 and 1,000.
MEASURED = {"half common": (1.07, 1.11), "half mid": (1.21, 1.19)}
MEASURED |= {"quarter common": (1.19, 1.27), "quarter mid": (1.57, 1.47)}


@pytest.mark.parametrize(("share", "sizes"), [("half", HALF), ("quarter", QUARTER)])
@pytest.mark.parametrize("stratum", DEMO)
def test_errors_of_smaller_panels_are_those_measured_in_the_demo(share, sizes, stratum):
    found = error_ratio(sizes[stratum], DEMO[stratum])
    low, high = sorted(MEASURED[f"{share} {stratum}"])
    assert low - 0.1 < found < high + 0.1  # neurons differ by more
    assert found < np.sqrt(DEMO[stratum].n_targets / sizes[stratum].n_targets)
