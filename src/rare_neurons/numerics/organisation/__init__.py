"""Organisation: sets of top neurons, their common directions and their life through training.

matching       random groups like a given one
group_spectra  common directions of a group's weight rows beyond its random groups
lineage        which neurons make the top, since when and for how long
"""
