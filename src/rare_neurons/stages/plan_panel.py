"""What a panel will be, drawn from its corpus before any model is there, and what another one would be worth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rare_neurons.errors import RequestError
from rare_neurons.numerics.panel.precision import StratumSize, error_ratio
from rare_neurons.numerics.panel.rows import StratumRow
from rare_neurons.stages.panel import FOUND, draw_panel


@dataclass(frozen=True)
class Text:
    """Tables of a corpus that is there already."""

    tokens: str
    unigram: str


@dataclass(frozen=True)
class Size:
    """A panel, or one that could be had instead.

    Attributes
    ----------
    change : str
        What is asked for otherwise; empty for the panel itself.
    n_contexts : int or None
        Contexts; None where nothing can be drawn.
    strata : tuple of StratumRow
    errors : mapping of str to float
        Standard error over that of the panel itself, by stratum.
    reason : str or None
        Why it cannot be had.
    """

    change: str
    n_contexts: int | None
    strata: tuple[StratumRow, ...]
    errors: Mapping[str, float]
    reason: str | None = None

    @property
    def n_targets(self) -> int:
        """Targets of all strata."""
        return sum(row.n_targets for row in self.strata)


def panel_sizes(name: str, settings: Mapping[str, object], text: Text) -> Iterator[Size]:
    """Draw a panel, then those with half and twice its targets and its contexts.

    The same documents, rules and caps for each; where the text gives fewer targets than twice as many, all that it
    gives.

    Parameters
    ----------
    name : str
    settings : mapping
        The panel's keys in the configuration.
    text : Text
    """
    own = _drawn("", name, settings, text)
    yield own
    if own.reason is not None:
        return
    n_targets, n_contexts = own.strata[0].n_targets, int(own.n_contexts or 0)
    for word, factor in (("half", 0.5), ("twice", 2)):
        wanted = {**settings, "targets_per_stratum": int(factor * n_targets)}
        yield _beside(own, _or_found(f"{word} the targets", name, wanted, text))
    for word, factor in (("half", 0.5), ("twice", 2)):
        wanted = {**settings, "max_contexts": int(factor * n_contexts), "targets_per_stratum": n_targets}
        yield _beside(own, _or_found(f"{word} the contexts", name, wanted, text))


def _or_found(change: str, name: str, settings: Mapping[str, object], text: Text) -> Size:
    """Draw what is asked for, or as many targets as there are where those are fewer."""
    size = _drawn(change, name, settings, text)
    if size.reason is None:
        return size
    found = _drawn(change, name, {**settings, "targets_per_stratum": FOUND}, text)
    fewer = found.reason is None and found.strata[0].n_targets < int(settings["targets_per_stratum"])
    return found if fewer else size


def _drawn(change: str, name: str, settings: Mapping[str, object], text: Text) -> Size:
    try:
        drawn = draw_panel(text.tokens, text.unigram, name, settings)
    except RequestError as error:
        return Size(change, None, (), {}, str(error))
    return Size(change, len(drawn.contexts.token_ids), tuple(drawn.sizes), {})


def _beside(own: Size, other: Size) -> Size:
    """Compare another panel with the one that is asked for."""
    same = (own.n_contexts, own.n_targets) == (other.n_contexts, other.n_targets)
    if other.reason is not None or same:
        return Size(other.change, None, (), {}, other.reason or "the text gives no more, with these caps")
    before = {row.stratum: _size(row) for row in own.strata}
    errors = {row.stratum: error_ratio(_size(row), before[row.stratum]) for row in other.strata}
    return Size(other.change, other.n_contexts, other.strata, errors)


def _size(row: StratumRow) -> StratumSize:
    return StratumSize(row.n_targets, row.n_documents_effective, row.n_types_effective)
