"""Effects of every layer's neurons, heads and sublayers on the loss.

losses    per target whole and within-stratum loss, from the final residual stream, with gradients
"""
