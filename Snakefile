"""When and how neurons of a language model specialise on rare tokens: from checkpoints to emergence timelines."""

from snakemake.utils import min_version

min_version("9.10")


# What is measured; how it is measured (config/analysis.yaml) is read beneath. Files named on the command line replace the
# default: to change single keys of it, name it first.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/drawn.smk"
include: "workflow/rules/records.smk"
include: "workflow/rules/start.smk"
include: "workflow/rules/warm.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/checkpoints.smk"
include: "workflow/rules/marks.smk"
include: "workflow/rules/layers.smk"
include: "workflow/rules/activity.smk"
include: "workflow/rules/null_tables.smk"
include: "workflow/rules/timelines.smk"
include: "workflow/rules/alpha.smk"
include: "workflow/rules/atlas.smk"
include: "workflow/rules/plan.smk"


if ASKED.measures_influence:

    include: "workflow/rules/replication.smk"


note_signatures()


# Where results are in storage, there is no summary here that it could begin with.
if not FAR:

    report: "workflow/report/workflow.rst"


onstart:
    # A plan leaves the record of the last run as it is.
    if not {"plan", "plan_json"} & {
        job.rule.name for job in workflow.dag.needrun_jobs()
    }:
        note_configuration()
    heed_force()
    plan_the_run()
    tell_jobs()


# Seconds each: not worth a place in a cluster's queue.
localrules:
    all,
    text,
    tokenizer,
    corpus,
    panel,
    plan,
    plan_json,
    prefetch,
    integrity,
    timelines,
    lineage,
    alpha,
    figures,
    atlas,
    summary,
    usable,


rule all:
    """Timelines, emergence tables and figures of every model; ends with a short table."""
    default_target: True
    input:
        f"{RESULTS}/summary.txt",
        f"{RESULTS}/summary.rst",
        f"{RESULTS}/atlas.html",
        f"{RESULTS}/usable.txt",
        everything,
