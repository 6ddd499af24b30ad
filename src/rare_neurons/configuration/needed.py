"""What rules need of a configuration: the sections they read, and the columns that may be dated."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import get_args, get_type_hints

from rare_neurons.catalogue import RULES, TIMELINES, load

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "results": ("all",),
    "targets": ("all",),
    "jobs": ("resolve", "spectra", "probe"),
} | {
    section: tuple(rule.name for rule in RULES if section in rule.sections)
    for section in dict.fromkeys(section for rule in RULES for section in rule.sections)
    if section != "recipes"  # only for models that are trained here; their names are checked
}
"""Sections that must be there, each with the rules that read it."""


DATED = ("behaviour", "moments")
"""Tables of sums over the grid: what is asked of their columns knows the noise of documents and of token types."""


@cache
def dated_columns() -> Mapping[str, tuple[str, ...]]:
    """Columns that may be dated, by the quantity whose timeline has them: their rows mark them."""
    found = {}
    for name, table in TIMELINES.items():
        if name.removeprefix("timelines/") not in DATED:
            continue
        hints = get_type_hints(load(table.row), include_extras=True)
        dated = tuple(column for column, hint in hints.items() if get_args(hint)[1].dated)
        if dated:
            found[name.removeprefix("timelines/")] = dated
    return found


_OF_TEXT = ("corpora", "tokenizers", "panels")
"""Sections that spectra alone do without."""


def measures_influence(config: Mapping[str, object]) -> bool:
    """Whether anything is measured on text, not only on weights."""
    # What a run of an earlier version has noted names none.
    return "targets" not in config or "influence" in config["targets"]


def missing_sections(config: Mapping[str, object], sections: Mapping[str, Collection[str]]) -> list[str]:
    """Return a sentence for every section that is not there."""
    return [
        f"section {name!r} is missing, which the rules {', '.join(rules)} read; add it, or name a file that has it "
        "before this one (--configfile config/config.yaml …)"
        for name, rules in sections.items()
        if name not in config or (name in _OF_TEXT and not config[name] and measures_influence(config))
    ]


def illegal_questions(questions: Mapping[str, Mapping[str, str]], legal: Mapping[str, Collection[str]]) -> list[str]:
    """Return a sentence for every question whose table or column cannot be dated."""
    problems = []
    for name, wanted in questions.items():
        place, table, column = f"evidence.questions.{name}", wanted["table"], wanted["column"]
        if table not in legal:
            problems.append(f"{place}.table: {table!r} has no column that can be dated; allowed: {', '.join(legal)}")
        elif column not in legal[table]:
            allowed = ", ".join(legal[table])
            problems.append(f"{place}.column: {column!r} is no column of {table} that can be dated; allowed: {allowed}")
    return problems
