"""Influence of every layer's neurons: from sums of a pass to estimates, intervals and totals.

sums         running sums over contexts, and what documents share
shrink       first order and the shrunk second order
conformal    intervals from neurons that were ablated exactly
totals       unbiased sum over a layer
mean_square  mean square over neurons without noise
sampling     what token types add to sampling errors
part         all of it for one layer and loss
clustered    means of values at hand for every target, with their two-way errors
rows         rows of the tables; head_rows of heads and sublayers
ratios       share of the last layer, and the layer where influence lies on average
evidence     both as questions, tier by tier
"""
