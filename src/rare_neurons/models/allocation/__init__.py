"""Which weights brought a change of loss between two checkpoints (docs/methods/allocation.md).

measure   the whole account of two checkpoints
line      a model on the straight line between them
gradients derivatives of each loss at one place of the line, by unit
products  gradient times update of every weight, from what enters and leaves each module
units     neurons, heads, embeddings, norms: which weights are whose
plain     losses by a plain forward pass
tables    columns of the tables
contexts  some of a panel's contexts, the same number of each document fold
"""
