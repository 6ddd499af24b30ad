"""Which tables figures and the atlas read: functions of their rules' inputs.

Requires: common.smk.
"""

from rare_neurons.atlas.registry import VIEWS


def figure_tables(subject: str) -> list[str]:
    """Tables that the figures of a subject read, each once."""
    paths = []
    beside = {
        table for figure in DRAWN if figure.with_controls for table in figure.tables
    }
    for table in dict.fromkeys(table for figure in DRAWN for table in figure.tables):
        pattern = PATH.get(table, f"{RESULTS}/{table}/{{model}}.parquet")
        models = judged_models(subject) if table in beside else members(subject)
        if "{subject}" in pattern:
            paths.append(pattern.format(subject=subject))
        elif "{step}" in pattern or "{interval}" in pattern:
            paths += shards_or_marks([table], models)
        else:
            paths += [pattern.format(model=m) for m in models]
    return list(dict.fromkeys(paths))


def atlas_panels() -> list[str]:
    """Panels that are measured, in the order of the models: the atlas lets a reader choose among them."""
    return list(dict.fromkeys(p for m in config["models"] for p in panels_of(m)))


def atlas_tables() -> list[str]:
    """Tables that the views of the atlas read, of those that are asked for, each once."""
    paths = [PATH["integrity"].format(model=model) for model in config["models"]]
    if ASKED.measures_influence:
        paths += [PATH["panel/strata"].format(panel=panel) for panel in atlas_panels()]
    if ASKED.does("activity"):
        # The text around examples is that of their panel.
        for panel in atlas_panels():
            entry = config["panels"][panel]
            tokenizer = TOKENIZER.format(tokenizer=entry["tokenizer"])
            paths += [
                PATH["panel/contexts"].format(panel=panel),
                corpus_path(entry, "tokens"),
            ]
            paths += [tokenizer, f"{tokenizer}.sha256"]
    names = dict.fromkeys(table for view in VIEWS for table in view.tables)
    for table in filter(ASKED.is_asked, names):
        pattern = PATH.get(table, f"{RESULTS}/{table}/{{model}}.parquet")
        if "{subject}" in pattern:
            paths += expand(pattern, subject=ASKED.subjects)
        elif "{step}" in pattern or "{interval}" in pattern:
            paths += shards_or_marks([table], config["models"])
        else:
            paths += expand(pattern, model=config["models"])
    return list(dict.fromkeys(paths))
