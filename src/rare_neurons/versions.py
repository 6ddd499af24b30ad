"""Version of what each rule computes: raise a number when results change (Snakemake does not see edits in here)."""

from rare_neurons.metrics import METRICS

VERSIONS = {
    "text": 1,
    "tokenizer": 1,
    "corpus": 1,
    "panel": 1,
    "pretrain": 1,
    "resolve": 1,
    "probe": 2,
    "spectra": 2,
    "null_tables": 1,
    "groups": 1,
    "integrity": 2,
    "timelines": 2,
    "lineage": 1,
    "emergence": 1,
    "claims": 1,
    "figures": 2,
    "replication": 1,
    "summary": 2,
    **{metric.name: metric.version for metric in METRICS},
}
