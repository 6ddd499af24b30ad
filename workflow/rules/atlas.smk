"""The atlas: one page of the whole results tree, to be opened without a network.

Requires: integrity and whatever the views of rare_neurons.atlas.registry read and this run makes.
Makes: {results}/atlas.html
"""


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
        panels=lambda w: atlas_panels(),
        version=VERSIONS["atlas"],
    script:
        "../scripts/atlas.py"
