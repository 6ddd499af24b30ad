"""Panel: the contexts and targets at which every checkpoint is evaluated, and their sampling error.

strata          classes of token types by training frequency; the Zipf elbow
contexts        windows of text, many short excerpts of many documents
targets         the evaluated positions of each stratum
grid            document folds and type bins of the targets; is each stratum large enough
means           means of strata from means of cells
standard_error  two-way clustered standard error of a mean
"""
