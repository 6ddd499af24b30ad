"""The mathematics, by topic; NumPy, SciPy, and networkx for communities; no files and no network.

panel         strata of token types, contexts and targets, folds and their resampling, two-way standard errors
influence     the shard that every metric of a checkpoint starts from, its summary, how unequal neurons are
regimes       ranked influence: cross-fitted curves, the log-spacing test (T is computed in `statistic`, its null in
              `null_tables`, its p in `detection`), descriptive fits and the seed studies' conventions
spectra       eigenvalue spectra of weight matrices, power-law tails and what they are compared with
onset         when a quantity sets in, by one declared rule, against what noise alone would draw
integrity     whether each checkpoint is what its step says
organisation  sets of top neurons: common directions, co-activation, communities, routing, what ablating them together
              does, and how the sets last through training
kinds         what single neurons of all layers react to, and what final-layer ones do to the readout
grid          document folds by type bins: cells, noise-free moments, two-way jackknife
evidence      what one run, other seeds, controls and rare tokens each show, in tiers
claims        organisation and kinds as questions, in the same tiers
multiplicity  p-values of a family of questions
rows          rows of tables made from results
"""
