"""The seed studies' conventions beside ours, from results alone.

inputs      the one reader of a results tree
answers     one question's rows of the evidence as one answer
noise       what the conventions read from half-normal noise, and from another panel
statistics  bands, scatter over steps, agreement of two rankings without noise
layout      numbers and rows as Markdown
setting, regimes, neurons, roles, organisation, kinds, published
            the tables
words, words_roles
            the sentences, each from the printed rows of its table; phrases: their parts
figures     the figures
"""
