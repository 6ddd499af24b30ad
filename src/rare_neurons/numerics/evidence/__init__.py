"""Evidence in tiers: each answers one question with its own error; a tier counts only if those before it hold.

==================  =============================================================================================
`run`               does this network differ from its step 0?
`onset_date`        since when (between two checkpoints, with an interval)?
`turns`             where did it rise and fall?
`seeds`             would another seed show it, and when?
`beyond_control`    do controls that cannot learn it do the same?
`specific`          is it about rare tokens, beyond what the geometry of the weights gives?
`multiplicity`      one adjusted p-value for primary and secondary questions
`tiers`             the highest tier reached
`not_reached`       why a tier that was tested does not count
`minimal_effect`    what would have been found, where nothing was
==================  =============================================================================================

Shared parts: `noise_draws` (the noise of a whole timeline, drawn from its leave-outs) and `comparison` (a t statistic
whose variance is a sum of parts). Tier `specific` compares the `contrasts` of a `strata_pair`. Put together: `question`
(what is asked, and the rule), `history` (a statistic over checkpoints), `run_study`, `subject_study`, and `tables`,
which makes the `rows`.
"""
