"""Which weights brought a change of loss between two checkpoints (docs/methods/allocation.md).

measure   the whole account of two checkpoints
line      a model on the straight line between them
gradients gradients of each loss at one place of the line, dotted with the update
units     neurons, heads, embeddings, norms: which weights are whose
contexts  some of a panel's contexts, the same number of each document fold
"""
