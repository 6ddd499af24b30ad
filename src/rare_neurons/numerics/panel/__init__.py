"""Panel: the contexts and targets at which every checkpoint is evaluated, and their sampling error.

strata          classes of token types by training frequency; the Zipf elbow
contexts        windows of text, no document in both halves
targets         the evaluated positions of each stratum
folds           folds of contexts, halves, and what the folds of one stratum add up to
resampling      the one place where folds are drawn anew
means           means of strata from means of folds
standard_error  two-way clustered standard error of a mean
"""
