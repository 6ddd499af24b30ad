"""From rows of tables to what every run says of every question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .findings import Finding, of_counts, of_interaction, of_organisation, of_routing
from .questions import KIND_QUESTIONS, KINDS, ORGANISATION, PRIMARY, SET_QUESTIONS, SHARE, Asked, SetQuestion
from .rows import ANY

Row = Mapping[str, object]
Shards = Mapping[str, Mapping[int, Sequence[Row]]]
"""Rows of one table by model and step."""

FLAGS = ("positional", "suppressor")


def ask_all(tables: Mapping[str, Shards], strata: Sequence[str]) -> list[Asked]:
    """List all questions that the tables of a panel can answer, in declared order.

    Parameters
    ----------
    tables : mapping
        ``organisation``, ``sets``, ``routing`` and ``kinds``: rows by model and step, good checkpoints alone.
    strata : sequence of str
        The first is what primary questions are about, and what tier `specific` sets against the second.
    """
    found = [asked for question in SET_QUESTIONS for asked in _of_sets(question, tables[question.table], strata)]
    found.sort(key=lambda asked: (not asked.primary, strata.index(asked.stratum), asked.sign != "all"))
    return [*found, *_of_kinds(tables["kinds"])]


def _of_sets(question: SetQuestion, shards: Shards, strata: Sequence[str]) -> Iterator[Asked]:
    for sign in question.signs:
        by_stratum = {s: _over_steps(shards, _reader(question, s, sign)) for s in strata}
        for stratum, findings in by_stratum.items():
            if not findings:
                continue
            first = stratum == strata[0]
            others = by_stratum[strata[1]] if question.specific and first and sign == "all" and len(strata) > 1 else {}
            yield Asked(
                question=question.name,
                stratum=stratum,
                sign=sign,
                family=ORGANISATION,
                unit=question.unit,
                direction=question.direction,
                primary=question.name in PRIMARY and first and sign == "all",
                findings=findings,
                others=others,
            )


def _reader(question: SetQuestion, stratum: str, sign: str) -> Callable[[int, Sequence[Row]], Finding | None]:
    def read(step: int, rows: Sequence[Row]) -> Finding | None:
        mine = [row for row in rows if row["stratum"] == stratum and row.get("sign", "all") == sign]
        if question.table == "sets":
            mine = [row for row in mine if row["ablation"] == "mean" and row["n_permutations"]]
            return of_interaction(step, mine[0]) if mine else None
        if question.table == "routing":
            heads = [row for row in mine if row["head"] is not None]
            # Against the first other stratum: with more, the others repeat it.
            heads = [row for row in heads if row["against"] == heads[0]["against"]]
            return of_routing(step, heads) if heads else None
        of_activations = question.quantity in ("excess_square_correlation", "cross_modularity")
        mine = [r for r in mine if r["quantity"] == question.quantity and r["residualised"] == of_activations]
        return of_organisation(step, mine[0]) if mine else None

    return read


def _over_steps(shards: Shards, read: Callable[[int, Sequence[Row]], Finding | None]) -> dict[str, list[Finding]]:
    found = {m: [read(step, rows) for step, rows in sorted(of.items())] for m, of in shards.items()}
    kept = {m: [one for one in of if one is not None] for m, of in found.items()}
    return {m: of for m, of in kept.items() if of}


def _of_kinds(shards: Shards) -> Iterator[Asked]:
    for kind in KIND_QUESTIONS:
        findings = {model: list(_counts(kind, of)) for model, of in shards.items() if 0 in of}
        if any(findings.values()):
            yield Asked(
                question=f"kind: {kind}",
                stratum=ANY,
                sign="all",
                family=KINDS,
                unit=SHARE,
                direction="rise",
                primary=False,
                findings={model: of for model, of in findings.items() if of},
            )


def _counts(kind: str, of: Mapping[int, Sequence[Row]]) -> Iterator[Finding]:
    """Yield counts of one run at its trained checkpoints, over the layers that count."""
    start, total = count_kind(kind, of[0])
    for step in sorted(step for step in of if step > 0 and total):
        yield of_counts(step, count_kind(kind, of[step])[0], start, total)


def count_kind(kind: str, rows: Iterable[Row]) -> tuple[int, int]:
    """Count neurons of a kind, or with a flag, and all neurons, of layers that count."""
    counted = [row for row in rows if row["counted"]]
    mine = [row for row in counted if (row[kind] if kind in FLAGS else row["kind"] == kind)]
    return len(mine), len(counted)
