"""The atlas: one page of the whole results tree, to be opened without a network.

Requires: integrity and whatever the views of rare_neurons.atlas.registry read and this run makes.
Makes: {results}/atlas.html
"""

from rare_neurons.atlas.registry import VIEWS


def atlas_tables() -> list[str]:
    """Tables that the views of the atlas read, of those that are asked for, each once."""
    paths = [PATH["integrity"].format(model=model) for model in config["models"]]
    if ASKED.measures_influence:
        paths += [
            PATH["panel/strata"].format(panel=panel)
            for panel in dict.fromkeys(
                p for m in config["models"] for p in panels_of(m)
            )
        ]
    names = dict.fromkeys(table for view in VIEWS for table in view.tables)
    for table in filter(ASKED.is_asked, names):
        pattern = PATH.get(table, f"{RESULTS}/{table}/{{model}}.parquet")
        if "{subject}" in pattern:
            paths += expand(pattern, subject=ASKED.subjects)
        elif "{step}" in pattern or "{interval}" in pattern:
            paths += [p for m in config["models"] for p in shards_of(table, m)]
        else:
            paths += expand(pattern, model=config["models"])
    return list(dict.fromkeys(paths))


rule atlas:
    """Everything that a results tree has to show, on one page."""
    input:
        lambda w: atlas_tables(),
    output:
        report(
            f"{RESULTS}/atlas.html",
            caption="../report/atlas.rst",
            category="atlas",
            labels={"figure": "atlas"},
        ),
    log:
        f"{RESULTS}/logs/atlas.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, output: str(Path(output[0]).parent),
        subjects={
            subject: {"runs": members(subject), "controls": controls(subject)}
            for subject in ASKED.subjects
        },
        panel=next((p for m in config["models"] for p in panels_of(m)), None),
        version=VERSIONS["atlas"],
    script:
        "../scripts/atlas.py"
