"""Influence of a layer's neurons: what every metric starts from, and how unequal neurons are.

shard            influence and fold sums of one checkpoint at one panel
summary          one row of what the influence of all neurons amounts to
inequality  Gini index, participation ratio and kurtosis over neurons
resampled        the same indices in resampled contexts
"""
