"""Checkpoints: what they are (manifests), where their bytes are (sources, cache), and their tensors."""
