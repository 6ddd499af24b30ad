"""What several views need of the declared questions: their names, and what is known of each, by subject."""

from collections.abc import Iterator, Mapping

from rare_neurons.atlas.tree import Subject, Tree
from rare_neurons.atlas.view import NothingToShow
from rare_neurons.figures.findings import Findings, load_findings, unit_of
from rare_neurons.numerics.wording.standing import Standing


def findings_of(tree: Tree, subject: Subject) -> Findings | None:
    """Return what the tables of evidence say of a subject at the page's panel; None where nothing was judged."""
    if tree.timeline("evidence", [subject.name], needed=False).empty:
        return None
    return next((one for one in load_findings(tree.results, subject.name) if one.panel == tree.panel), None)


def judged(tree: Tree) -> Mapping[str, Findings]:
    """Return the findings of every subject that has any.

    Raises
    ------
    NothingToShow
        If none has.
    """
    found = {one.name: findings for one in tree.subjects if (findings := findings_of(tree, one)) is not None}
    if not found and tree.panel is None:
        raise NothingToShow("Nothing was judged: questions are asked of models that were measured on a panel's text.")
    if not found:
        raise NothingToShow("Nothing was judged: this results tree has no evidence at this panel.")
    return found


def questions(tree: Tree) -> list[Standing]:
    """Return every question once, in declared order, from the first subject that has it."""
    found = {one.question: one for findings in judged(tree).values() for one in findings.questions}
    return sorted(found.values(), key=lambda one: one.about.declared)


def by_slot(tree: Tree) -> Iterator[tuple[str, Standing]]:
    """Yield the name of each question's slot, and the question."""
    return ((f"q{place}", one) for place, one in enumerate(questions(tree), start=1))


def facts_of(standing: Standing) -> Mapping[str, str]:
    """Return what scripts know of a question."""
    about = standing.about
    return {
        "question": standing.question,
        "stratum": about.stratum,
        "unit": unit_of(about.table, about.column),
    }


def first_up(text: str) -> str:
    """Return a text that begins a line."""
    return text[:1].upper() + text[1:]
