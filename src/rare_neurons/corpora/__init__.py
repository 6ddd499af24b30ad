"""Texts: where the documents of a corpus come from.

sources   documents of every kind of source: standard library, text, JSON lines, Parquet, Hub data sets
stdlib    the embedded corpus: the running interpreter's own standard library
"""
