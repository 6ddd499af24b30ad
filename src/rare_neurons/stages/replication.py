"""Stage `replication`: the seed studies' conventions beside ours, as tables and figures from results alone."""

from collections.abc import Sequence

from rare_neurons.replication import kinds, neurons, organisation, regimes, roles, setting
from rare_neurons.replication.figures import plot_inequality, plot_ranked
from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import read_rows
from rare_neurons.replication.published import survives
from rare_neurons.replication.words import WORDS
from rare_neurons.stages.figures import save_figure
from rare_neurons.tables import atomic_path

TABLES = {
    "runs": setting.runs,
    "panels": setting.panels,
    "fractions": regimes.fractions,
    "window": regimes.window,
    "scatter": regimes.scatter,
    "huber": regimes.huber,
    "segments": regimes.segments,
    "hill-by-size": neurons.hill_by_size,
    "set-spectra": neurons.set_spectra,
    "inequality": neurons.inequality,
    "noise-share": neurons.noise_share,
    "role-positions": roles.role_positions,
    "roles": roles.roles,
    "role-effect": roles.role_effect,
    "role-evidence": roles.role_evidence,
    "organisation": organisation.organisation,
    "organisation-claims": organisation.organisation_claims,
    "kinds": kinds.kinds,
    "kind-claims": kinds.kind_claims,
    "readout": kinds.readout,
    "survives": survives,
}
"""Tables by key, in the order of the page."""
OF_ACTIVITY = ("organisation", "organisation-claims", "kinds", "kind-claims", "readout")
_BY_INPUT = ("role-positions", "roles", "role-effect", "role-evidence")
FIGURES = ("ranked", "inequality")


def write_replication(*, tables: str, png: Sequence[str], svg: Sequence[str], tree: Tree) -> None:
    """Read the seed studies' conventions off a subject, noise and its controls.

    Parameters
    ----------
    tables : str
        Output: Markdown, one section per key of `TABLES`, and one, ``key-words``, with the sentences of `WORDS` on it
        where there are any; a table whose panel is not there says so.
    png, svg : sequence of str
        Outputs, in the order of `FIGURES`.
    tree : Tree
        The results, and what of them is read.
    """
    sections = [section for key in TABLES for section in _sections(key, _table(key, tree))]
    with atomic_path(tables) as temporary:
        temporary.write_text("\n".join(sections), encoding="utf-8")
    figures = (plot_ranked(tree), plot_inequality(tree))
    for figure, raster, vector in zip(figures, png, svg, strict=True):
        save_figure(figure, png=raster, svg=vector)


def _sections(key: str, table: str) -> list[str]:
    """One table, and the sentences that follow from its rows."""
    found = [f"## {key}\n\n{table}"]
    rows = read_rows(table)
    return [*found, f"## {key}-words\n\n{WORDS[key](rows)}\n"] if key in WORDS and rows else found


def _table(key: str, tree: Tree) -> str:
    if key in _BY_INPUT and tree.by_input is None:
        return f"No panel with the strata of {tree.ours} by the token read.\n"
    if key in OF_ACTIVITY and not tree.has_activity:
        return "Section activity of the configuration declares no checkpoints.\n"
    return TABLES[key](tree)
