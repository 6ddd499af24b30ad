"""Influence of a layer's neurons: what every metric starts from, and how unequal neurons are.

rows        rows of what one forward pass gives
shard       influence and cell sums of one checkpoint at one panel
moments     mean and root mean square over neurons, free of noise
placebo     which activation meets which output direction in a placebo
summary     one row of what the influence of all neurons amounts to
inequality  effective number of neurons, Gini index beside that of noise, and kurtosis
"""
