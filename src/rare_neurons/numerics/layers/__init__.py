"""Every neuron of every layer: estimates with an audit, and what may be said of layers.

ratios    share of the last layer, and the layer where influence lies on average
evidence  both as questions, tier by tier
"""
