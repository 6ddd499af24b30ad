"""Regimes of ranked influence: a test with a null, descriptive fits, and the seed studies' conventions.

rank_curve        the cross-fitted curve: one quadrant orders the neurons, the opposite one is read
statistic         scaled log-spacings, and T: three rising levels against a smooth curve
null_tables       distributions of T under smooth families
null_tail         p-values beyond what counting draws resolves
detection         the test: the largest p over the families
resampled         the test with intervals from resampled cells; differences of two strata
segments          continuous straight pieces with exact breakpoints
huber             the seeds' penalised three-regime form
huber_search      its search over all pairs of breakpoints
seed_conventions  how the seed papers read regimes off a curve
conventions       all readings of one stratum side by side
row               the row that each reading fills in
tables            the tables of one checkpoint
"""
