"""Corpus, tokenizer, strata and panel.

Requires: the text sources named under `corpora`.
Makes: {results}/text/{corpus}.parquet, {results}/tokenizer/{tokenizer}/tokenizer.json,
{results}/corpus/{corpus}/{tokenizer}/{tokens,unigram}.parquet, {results}/panel/{panel}/{contexts,targets,strata}.parquet
"""


rule text:
    """Documents of a corpus, one row each, and which of them are held out for panels."""
    input:
        local_files,
    output:
        PATH["text"],
    log:
        f"{RESULTS}/logs/text/{{corpus}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        corpus=lambda w: w.corpus,
        source=lambda w: ASKED.text_source(w.corpus),
        heldout=lambda w: ASKED.heldout(w.corpus),
        version=VERSIONS["text"],
    script:
        "../scripts/text.py"


rule tokenizer:
    """The tokenizer of a corpus and of the models that share it: trained here, local, or from the Hub."""
    input:
        lambda w: (
            [PATH["text"].format(corpus=config["tokenizers"][w.tokenizer]["corpus"])]
            if "corpus" in config["tokenizers"][w.tokenizer]
            else []
        ),
    output:
        TOKENIZER,
        f"{TOKENIZER}.sha256",
    log:
        f"{RESULTS}/logs/tokenizer/{{tokenizer}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        source=lambda w: config["tokenizers"][w.tokenizer],
        version=VERSIONS["tokenizer"],
    script:
        "../scripts/tokenizer.py"


rule corpus:
    """Token ids of every document, and unigram counts of the training distribution."""
    input:
        text=PATH["text"],
        tokenizer=TOKENIZER,
        counts=lambda w: [
            beside_workflow(path)
            for path in [config["corpora"][w.corpus].get("unigram_counts")]
            if path
        ],
    output:
        **tables_of("corpus"),
    log:
        f"{RESULTS}/logs/corpus/{{corpus}}/{{tokenizer}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        end_of_text=lambda w: config["tokenizers"][w.tokenizer]["end_of_text"],
        smoothing=lambda w: config["corpora"][w.corpus]["smoothing"],
        max_tokens=lambda w: config["corpora"][w.corpus].get("max_tokens"),
        version=VERSIONS["corpus"],
    script:
        "../scripts/corpus.py"


rule panel:
    """Contexts and target positions, drawn once: every checkpoint with this tokenizer is evaluated at them."""
    input:
        tokens=corpus_table("tokens"),
        unigram=corpus_table("unigram"),
    output:
        **tables_of("panel"),
    log:
        f"{RESULTS}/logs/panel/{{panel}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        panel=lambda w: w.panel,
        settings=lambda w: ASKED.panel_settings(w.panel),
        version=VERSIONS["panel"],
    script:
        "../scripts/panel.py"
