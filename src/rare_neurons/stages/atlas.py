"""Stage `atlas`: one page per results tree, to be opened without a network."""

from collections.abc import Mapping, Sequence

from rare_neurons.atlas import Subject, Tree, atlas_page
from rare_neurons.tables import atomic_path


def write_atlas(
    output: str, *, results: str, subjects: Mapping[str, Mapping[str, Sequence[str]]], panel: str | None
) -> None:
    """Write the page.

    Parameters
    ----------
    output : str
    results : str
        The results folder.
    subjects : mapping
        Each subject's ``runs`` and ``controls``.
    panel : str or None
        The panel that the page is about; None where nothing is measured on text.
    """
    about = [Subject(name, tuple(one["runs"]), tuple(one["controls"])) for name, one in subjects.items()]
    with atomic_path(output) as temporary:
        temporary.write_text(atlas_page(Tree(results, about, panel)), encoding="utf-8")
