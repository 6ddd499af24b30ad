"""Spectra of weight matrices: tails, their alternatives, and what no structure looks like.

eigenvalues           of WᵀW, float64
options               what is computed, and how often
spectrum              all quantities of one matrix
rows                  rows of the tables
power_law             tail fit by maximum likelihood, every value a candidate for its start
bootstrap             sensitivity band and goodness of fit
likelihood_ratio      the power law against four alternatives
tail_index            Hill's exponent, and on windows of one shape (FARMS)
gaussian_null         alpha and the largest eigenvalue of Gaussian weights of one shape
leaving               p in that null, and the step from which a matrix is outside
random_matrix         Marchenko-Pastur bulk, spikes, shuffled weights
weightwatcher_engine  weightwatcher's own fit
"""
