"""The one list of figures: each says which tables it reads and what it shows. Light to import."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureEntry:
    """A figure of one subject.

    Attributes
    ----------
    name : str
        Of the file; ``figures/{name}.py`` has ``plot_{name}``, which takes a results folder and models.
    tables : tuple of str
        What it reads, by name in the catalogue; ``timelines/{quantity}`` for one quantity's timeline.
    caption : str
        What a reader sees, in words.
    of_subject : bool
        Whether the function takes the subject too: its table is about all runs together.
    with_controls : bool
        Whether it takes ``controls=`` too, models that are said beside.
    """

    name: str
    tables: tuple[str, ...]
    caption: str
    of_subject: bool = False
    with_controls: bool = False

    def load(self) -> Callable[..., Figure]:
        """Import the function."""
        return getattr(importlib.import_module(f"{__package__}.{self.name}"), f"plot_{self.name}")


FIGURES = (
    FigureEntry(
        "loss",
        tables=(
            "timelines/behaviour",
            "behaviour",
            "integrity",
        ),
        caption=(
            "Loss of the target token by frequency stratum over training steps, with 90 % intervals over documents and "
            "token types; one line style per seed, controls in grey. Crosses mark quarantined checkpoints, which enter "
            "no line."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "rank_curves",
        tables=(
            "curves",
            "integrity",
        ),
        caption=(
            "Cross-fitted ranked influence of the final-layer MLP neurons at a few steps, the first control last. One "
            "quadrant of documents by token types orders the neurons, the opposite one is read, so that without any "
            "effect the curve is zero at every rank; the band is the interval over documents and types, and bins whose "
            "interval reaches zero are not drawn."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "influence",
        tables=(
            "timelines/moments",
            "integrity",
        ),
        caption=(
            "Change in loss when one neuron is mean-ablated, in total and within the target's stratum: root mean "
            "square over neurons, free of noise and below zero where noise wins, and signed mean. Bands: 90 % "
            "intervals over documents and token types; controls in grey. A mere shift of probability between strata "
            "shows only in the total."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "inequality",
        tables=(
            "timelines/inequality",
            "integrity",
        ),
        caption=(
            "How unequal the neurons of the final MLP are on each stratum; controls in grey. The effective number, "
            "with 90 % intervals over documents and token types, is free of noise and left out where the effects are "
            "not resolved; the Gini index follows signal to noise, and has that of noise alone (thin) beside it."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "alpha",
        tables=(
            "timelines/alpha",
            "timelines/alpha_events",
            "integrity",
        ),
        caption=(
            "Power-law exponent fitted to the eigenvalues of each weight matrix. Grey: where nine in ten Gaussian "
            "matrices of the same shape lie; at initialisation the exponent is noise. A dot marks the checkpoint by "
            "which a matrix has left them (twice in a row, at 0.05 over all matrices). Matrices of runs on shuffled "
            "text leave too, as each axis says: it is training, not language. Bars mark where the fitted tail starts "
            "in another part of the spectrum than at the checkpoint before."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "integrity",
        tables=("integrity",),
        caption=(
            "Verdict on every checkpoint. A cross marks a quarantined one; it is drawn on every timeline and enters no "
            "average."
        ),
    ),
    FigureEntry(
        "emergence",
        tables=(
            "timelines/evidence",
            "timelines/onsets",
            "timelines/turns",
            "timelines/courses",
            "integrity",
        ),
        caption=(
            "Every declared question: the runs with intervals over documents and token types, controls in grey, "
            "rises and falls beyond noise as thick lines. Bars below are intervals of the step by which half of the "
            "change has come, in each run and (broad, shaded) over seeds. The line above names the tiers of evidence, "
            "each with the p that decides: this run, other seeds, beyond controls, about this stratum."
        ),
        of_subject=True,
    ),
    FigureEntry(
        "claims",
        tables=("timelines/evidence", "timelines/onsets", "timelines/turns"),
        caption=(
            "How large the change of every declared question is, with its interval: left in each run and each control "
            "(grey), right over the seeds, alone and less the controls. Filled circles: the change is found at that "
            "tier. The line above names the tiers of evidence."
        ),
        of_subject=True,
    ),
    FigureEntry(
        "neuron_steps",
        tables=("influence", "integrity"),
        caption=(
            "Within-stratum influence of the neurons that are strongest on rare tokens at the last step, at every "
            "step, for the first run and below it the first control; the last step also chose them. Hatched: within "
            "90 % of zero."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "rare_common",
        tables=("influence", "integrity"),
        caption=(
            "Within-stratum influence of every neuron of the final MLP on rare tokens against that on common tokens "
            "at the last good step, one axis per run and the first control last. Bands: the floor of noise, 90 % of "
            "the root mean square standard error."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "lineage",
        tables=("timelines/lineage",),
        caption=(
            "Jaccard index of the most influential neurons (with their signs) with those of the last good step, and "
            "with those of the step before. Thin lines: what two opposite quadrants of the panel share, each with a "
            "quarter of the targets and none of the other's documents and token types. Thick line: two sets at random."
        ),
    ),
    FigureEntry(
        "layers",
        tables=("timelines/layer_audit",),
        caption=(
            "Root mean square of the influence of each layer's neurons, by stratum: in total, and within the target's "
            "stratum; mean over runs, controls below. Hatched: within its own noise."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "layer_neurons",
        tables=("layer_influence", "integrity"),
        caption=(
            "Within-stratum influence of the neurons of the first run that are strongest at its last step, layer by "
            "layer. Bands: 90 % intervals of approximation and sampling together."
        ),
    ),
    FigureEntry(
        "allocation",
        tables=("timelines/allocation", "timelines/allocation_changes"),
        caption=(
            "Where the change of the loss between checkpoints came from: neurons and heads by layer, embedding, "
            "unembedding, norms and the rest; mean over runs. Below zero: improved the loss. Black marks: the change "
            "itself, measured apart."
        ),
    ),
    FigureEntry(
        "kinds",
        tables=("timelines/kinds",),
        caption=(
            "Share of each layer's neurons that are dead, detect tokens, bigrams or trigrams, or are undecided, by "
            "step; mean over runs, controls below. What step 0 and the controls have too is no sign of language; "
            "`timelines/activity_evidence` says how far a rise is a claim. The first layer of a parallel model "
            "sees the current token alone and is not counted."
        ),
        with_controls=True,
    ),
    FigureEntry(
        "organisation",
        tables=("timelines/organisation",),
        caption=(
            "Excess square correlation of the strongest neurons of each stratum on contexts that did not choose them, "
            "without what frequency and position explain. Grey: 5 to 95 % of matched sets; dashed: the placebo, the "
            "neurons that write most. A set within the grey, or below the placebo, shows no organisation of its own; "
            "one checkpoint outside is no claim (`timelines/activity_evidence`)."
        ),
        with_controls=True,
    ),
)
