"""Organisation: sets of top neurons, their common directions and their life through training.

matching          random sets that were as likely to be chosen as a given one, and its placebo
edge              random sets where covariates alone choose the set
comparison        one number of a set beside its random sets and its placebo
residuals         activations without what token frequency and position explain, and their correlations
coactivation      whether a set's neurons fire together beyond what the layer predicts
communities       whether they fall into communities, weighed on other rows than found them
mutual_information
                  whether neurons depend on each other beyond correlation
alignment         whether their output directions are alike
overlap           whether two strata have the same top neurons
study             all that is said of the organisation of one set
routing           whether heads reach a set on one stratum more than on another
interaction       what ablating a set does beyond its neurons one by one
row_correlations  eigenvalues of the correlations between weight rows of sets
set_spectra       common directions of a set's weight rows beyond its random sets and its placebo
lineage           which neurons make the top, since when and for how long
rows              rows of these tables
"""
