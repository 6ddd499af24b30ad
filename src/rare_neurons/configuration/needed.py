"""What rules need of a configuration: the sections they read, and the columns that may be dated."""

from collections.abc import Collection, Mapping

# Both tables repeat what the rules and the tables' row types say; they follow from the catalogue of tables.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "results": ("all",),
    "cache": ("resolve", "spectra", "probe", "groups", "plan", "prefetch"),
    "corpora": ("text", "corpus"),
    "tokenizers": ("tokenizer", "corpus"),
    "models": ("pretrain", "resolve"),
    "panels": ("panel", "probe"),
    "probe": ("probe", "plan"),
    "spectra": ("spectra",),
    "differentiation": ("differentiation",),
    "regimes": ("regimes", "null_tables"),
    "groups": ("groups",),
    "lineage": ("lineage",),
    "integrity": ("integrity", "spectra"),
    "onset": ("emergence", "claims"),
    "claims": ("claims", "replication"),
}
"""Sections that must be there, each with the rules that read it."""

ONSET_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "behaviour": ("loss", "entropy", "kl_model_to_unigram", "kl_unigram_to_model"),
    "influence": (
        "mean_influence",
        "mean_abs_influence",
        "rms_influence",
        "rms_influence_corrected",
        "rms_influence_within",
        "n_boost",
        "n_suppress",
        "top_influence",
    ),
    "differentiation": (
        "gini",
        "participation_ratio",
        "excess_kurtosis",
        "excess_kurtosis_noise_corrected",
        "excess_kurtosis_without_top",
    ),
}
"""Columns that may be dated, by table."""


def missing_sections(config: Mapping[str, object], sections: Mapping[str, Collection[str]]) -> list[str]:
    """Return a sentence for every section that is not there."""
    return [
        f"section {name!r} is missing, which the rules {', '.join(rules)} read; add it, or name a file that has it "
        "before this one (--configfile config/config.yaml …)"
        for name, rules in sections.items()
        if name not in config
    ]


def illegal_onsets(quantities: Mapping[str, Mapping[str, str]], legal: Mapping[str, Collection[str]]) -> list[str]:
    """Return a sentence for every declared quantity whose table or column cannot be dated."""
    problems = []
    for name, wanted in quantities.items():
        place, table, column = f"onset.quantities.{name}", wanted["table"], wanted["column"]
        if table not in legal:
            problems.append(f"{place}.table: {table!r} has no column that can be dated; allowed: {', '.join(legal)}")
        elif column not in legal[table]:
            allowed = ", ".join(legal[table])
            problems.append(f"{place}.column: {column!r} is no column of {table} that can be dated; allowed: {allowed}")
    return problems
