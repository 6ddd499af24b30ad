"""Integrity: whether each checkpoint is what its step says.

fingerprint  digest, norm and random projection of a weight tensor
limits       what is still believed
judge        the verdict on every checkpoint of a run
rules        the rules, one after the other on what the former ones left
repeats      checkpoints that serve the same weights: unchanged or duplicates
path         detours from a run's path, and values out of order
tensors      checkpoints with other tensors than most
descent      whether a run descends from its own start or another seed's
start        the verdict on a step 0 that belongs to another run
"""
