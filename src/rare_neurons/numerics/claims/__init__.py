"""What may be said of organisation and of kinds of neurons, tier by tier.

findings     what one checkpoint says of a question: effect, spread and p, from rows of its tables
questions    what is asked of every stratum and of every kind, and in which order
persistence  p of a run over its declared checkpoints
over_runs    tests over runs and against controls
specific     tests between strata, of what a growth of both does not explain
judge        all tiers of all questions, paid for
rows         rows of the table
"""
