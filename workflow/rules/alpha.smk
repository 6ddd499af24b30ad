"""Alpha among Gaussian matrices of the same shape: one null for a family of models, then each model's dates.

Requires: {results}/spectra/{model}/step{step}.parquet, {results}/timelines/spectra/{model}.parquet
Makes: {results}/alpha_null/{subject}.parquet, {results}/timelines/{alpha,alpha_events}/{model}.parquet
"""


rule alpha_null:
    """Power-law exponents of Gaussian matrices of the shapes that a family's models have."""
    input:
        spectra=lambda w: [
            PATH["spectra"].format(model=model, step=STEPS[model][0])
            for model in judged_models(w.subject)
            if STEPS[model]
        ],
    output:
        PATH["alpha_null"],
    log:
        f"{RESULTS}/logs/alpha_null/{{subject}}.log",
    wildcard_constraints:
        subject="[^/]+",
    conda:
        "../envs/rare-neurons.yaml"
    threads: 1
    params:
        min_tail=config["spectra"]["min_tail"],
        seed=config["spectra"]["seed"],
        version=VERSIONS["alpha_null"],
    script:
        "../scripts/alpha_null.py"


rule alpha:
    """Where each matrix's exponent lies among them, and the step from which it is outside."""
    input:
        spectra=lambda w: TIMELINE.format(quantity="spectra", model=w.model),
        null=lambda w: PATH["alpha_null"].format(subject=ASKED.family_of(w.model)),
    output:
        **tables_of("alpha"),
    log:
        f"{RESULTS}/logs/alpha/{{model}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        version=VERSIONS["alpha"],
    script:
        "../scripts/alpha.py"
