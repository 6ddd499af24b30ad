"""Checkpoints: what they are, where their bytes are, and their tensors; without torch but for `.bin` files.

manifest           what a checkpoint is before its weights are opened: files, digests, status
sources            from a model and a step to a manifest: local folders, revisions of the Hub
schedules          lists of steps by name
layout             which files of a folder or revision are needed
hub                the Hub's own listing: revisions, files, digests
listed             manifests kept between the plan of a run and its jobs
plan               what a run will fetch and where it may stumble
known_bad          public reports of bad revisions
cache              weights inside a job: `open_weights`, `prefetch`
store              the managed cache: disk budget, locks, pins
hub_cache          the Hub client's own cache, read in place
fetch              one file from the Hub to the disk, resumed and verified
retry              which failures of the network are worth another try
digests            digests of files, and the check against a manifest
verify             a folder in place against its manifest
tensors            tensors of a checkpoint's folder, whatever the format
safetensors_file   lazy reading of one safetensors file
bin_file           reading of one `.bin` file
files              regular files alone, JSON in bounds, `config.json`
"""
