"""One module for each rule of the DAG, with a function `write_<rule>`: tables in, computation called, tables out.

text, tokenizer, corpus, panel      what every checkpoint is evaluated at
pretrain, resolve                   checkpoints: trained here, or where their bytes are
probe, spectra, set_spectra         what opens weights (by `checkpoint_job`)
null_tables, metric                 what follows from one checkpoint's influence
integrity, timelines, lineage, alpha  all steps of one model (alpha_null: its null, by shape)
evidence, figures, summary           all runs of one subject (layer_evidence, activity_evidence: of declared steps)
plan, prefetch, replication         asked for by name
arguments, cache, reporting         between Snakemake and a stage
"""
