"""Organisation: sets of top neurons, their common directions and their life through training.

matching       random sets like a given one
set_spectra  common directions of a set's weight rows beyond its random sets
lineage        which neurons make the top, since when and for how long
"""
