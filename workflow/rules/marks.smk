"""One mark for each model and stage that all its checkpoints have been through: what needs them all names the mark.

Requires: the shards of checkpoints.smk, layers.smk and activity.smk.
Makes: nothing itself; rule `measured` (timelines.smk) makes {results}/.measured/{model}/{stage}, a folder with nothing but
Snakemake's time stamp, as young as the last of their jobs. Of an empty file Snakemake would say that it is the same as
before, however young it is, and a run that ends before all has been made of new shards would leave the rest for good.

Thousands of shards, each named by everything that reads it, are half of what Snakemake has to keep of a large sweep. A
job makes all its outputs or none, so that one stands for the others. Where no disk is shared, a job has nothing but what
it names, and names them all.
"""

MARK = f"{RESULTS}/.measured/{{model}}/{{stage}}"
STAGE_OF = {
    table.name: "metrics" if entry.name in OF_INFLUENCE else entry.name
    for entry in RULES
    for table in entry.tables
    if {"step", "interval"} & {*table.wildcards}
} | {MANIFEST_KEY: "spectra"}
IS_MODULE = workflow.modifier.namespace is not None


def marks_of(tables, models) -> list[str]:
    """Marks of the stages that make these tables of models."""
    return [
        MARK.format(stage=stage, model=model)
        for model in models
        for stage in dict.fromkeys(STAGE_OF[table] for table in tables)
        if signs_of(stage, model)
    ]


def signs_of(stage: str, model: str) -> list[str]:
    """One output of each job of a stage that measures checkpoints of a model."""
    return shards_of(next(t for t, of in STAGE_OF.items() if of == stage), model)


def signs_of_mark(wildcards) -> list[str]:
    """Inputs of a mark. Jobs that are done, but of whose outputs one is gone, are forced to run.

    A lost input alone is no reason to run, and one that is named only when it is lost would be another set of inputs in
    the next run.
    """
    stage, model = wildcards.stage, wildcards.model
    signs = signs_of(stage, model)
    # Of a whole run rule `all` names them.
    if not (IS_MODULE or workflow.dag_settings.targets):
        return signs
    # Without a mark, signs that are not there are made anyway.
    there = os.path.exists(MARK.format(stage=stage, model=model))
    for table in (name for name, of in STAGE_OF.items() if of == stage):
        for sign, path in zip(signs, shards_of(table, model), strict=True):
            if not os.path.exists(path) and (there or os.path.exists(sign)):
                workflow.dag.forcefiles.add(path)
    return signs


def shards_or_marks(tables, models) -> list[str]:
    """Input of what waits for shards and finds them by itself."""
    if FAR:
        return [p for m in models for table in tables for p in shards_of(table, m)]
    return marks_of(tables, models)


def all_shards(models_of, **tables) -> dict:
    """Inputs of what reads the shards of some tables of a job's models, by name: the shards, or their marks."""
    if FAR:
        return {
            name: lambda w, found=found: shards_or_marks(found, models_of(w))
            for name, found in tables.items()
        }
    made = [one for found in tables.values() for one in found]
    return {"measured": lambda w: marks_of(made, models_of(w))}


def places_of(models_of, **tables):
    """Parameter of the same rule: where the shards are, if its inputs are their marks."""
    if FAR:
        return {}
    return lambda w: {
        name: [place_of(table, m) for m in models_of(w) for table in found]
        for name, found in tables.items()
    }


def place_of(table: str, model: str) -> tuple[str, list, list]:
    """Pattern of a model's shards of a table, with its panels and its steps or intervals."""
    pattern = PATH.get(table, MANIFEST).replace("{model}", model)
    panels = dict.fromkeys(key[1] for key in ASKED.of_checkpoints(table, model))
    return (
        pattern.replace("{interval}", "{step}"),
        list(panels) if "{panel}" in pattern else [""],
        list(ASKED.items_of(table, model)),
    )


def one_model(wildcards) -> list[str]:
    return [wildcards.model]


def judged(wildcards) -> list[str]:
    return judged_models(wildcards.subject)
