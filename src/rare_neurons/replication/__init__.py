"""The seed studies' conventions beside ours, from results alone.

inputs      the one reader of a results tree
noise       what the conventions read from half-normal noise, and from resampled contexts
statistics  bands, scatter over steps, agreement of two rankings without noise
layout      numbers and rows as Markdown
regimes, neurons, claims
            the tables
figures     the figures
"""
