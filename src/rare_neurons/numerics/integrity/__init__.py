"""Integrity: whether each checkpoint is what its step says.

fingerprint  digest, norm and random projection of a weight tensor
limits       what is still believed
judge        the verdict on every checkpoint of a run
rules        the rules, one after the other on what the former ones left
repeats      checkpoints that serve the same weights: unchanged or duplicates
path         detours from a run's path, and values out of order
tensor_path  the same for single tensors, and a last checkpoint far from the run
chord        weights on the straight line between their neighbours
ratios       distances, angles and quotients that may be undefined
tensor_rules the rules that look at single tensors, means of neighbours and the last checkpoint
end_loss     a last loss above that of the unigram distribution
tensors      checkpoints with other tensors than most
descent      whether a run descends from its own start or another seed's
start        the verdict on a step 0 that belongs to another run
"""
