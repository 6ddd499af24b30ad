"""Stage `atlas`: one page per results tree, to be opened without a network."""

from collections.abc import Mapping, Sequence

from rare_neurons.atlas import Subject, Tree, atlas_page
from rare_neurons.tables import atomic_path


def write_atlas(
    output: str, *, results: str, subjects: Mapping[str, Mapping[str, Sequence[str]]], panels: Sequence[str]
) -> None:
    """Write the page.

    Parameters
    ----------
    output : str
    results : str
        The results folder.
    subjects : mapping
        Each subject's ``runs`` and ``controls``.
    panels : sequence of str
        The panels that a reader may choose, the first one first; empty where nothing is measured on text.
    """
    about = [Subject(name, tuple(one["runs"]), tuple(one["controls"])) for name, one in subjects.items()]
    with atomic_path(output) as temporary:
        temporary.write_text(atlas_page([Tree(results, about, panel) for panel in panels or [None]]), encoding="utf-8")
