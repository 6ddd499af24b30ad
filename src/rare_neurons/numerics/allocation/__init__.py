"""Which weights brought a change of loss between two checkpoints (docs/methods/allocation.md).

path            nodes and weights along the straight line, and which part of it is halved next
standard_error  over documents and token types, from sums over document folds
rows            rows of the tables
"""
