"""Organisation: sets of top neurons, their common directions and their life through training.

matching          random sets that were as likely to be chosen as a given one, and its placebo
row_correlations  eigenvalues of the correlations between weight rows of sets
set_spectra       common directions of a set's weight rows beyond its random sets and its placebo
lineage           which neurons make the top, since when and for how long
"""
