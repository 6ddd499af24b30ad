"""What a pass over a panel keeps. A recorder meets every block of targets once and keeps something of it.

behaviour   per target: what the network does there without any ablation (one function per quantity)
gradients   per stratum: mean gradient of the loss with respect to the final residual stream
sums        per neuron: sums of the ablations' effects, from which a probe's statistics are made
clusters    sums of targets that share a document, a type or a cell, and the error that follows
row_labels  how such sums are taken in one order on every device

`add` takes what is known of one block (its panel rows, stratum, logits and class sums, final residual; for sums the
pairs' effects); the block's tensors are valid during the call only, the next block is written over them. `finish`
gives NumPy arrays. A quantity of the forward pass is added in `behaviour`, and nowhere else in `models`.
"""
