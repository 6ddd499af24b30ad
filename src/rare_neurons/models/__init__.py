"""Everything that runs a network: weights into memory, forward passes, and what is measured on them.

loading        a checkpoint's folder to a model, refusing what is not all there
placement      where weights go: device, host memory, disk
memory         what a device has free, and how much of a pass fits it
pretraining    the embedded model's training
cross_entropy  its loss, without all logits at once
forward        one pass over a panel: activations and final residuals at its targets
panel_arrays   a panel as arrays, and the vocabulary sorted by stratum
readout        from the final residual to the logits, and what one ablated neuron changes
influence/     the engines: every neuron's influence with a certified error
activity/      all layers of one pass, sets ablated together, heads, the readout
recorders/     what a pass over a panel keeps
"""
