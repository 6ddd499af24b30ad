"""What tables of evidence say, in sentences that claim no more than they do.

=================  ==========================================================================
`words`            sentences about one question
`standing`         the rows of a question together: what holds, what does not, what was not asked
`shared_moves`     rises and falls that more than half of the runs share
`layers`           sentences about layers and where a loss change came from
`activity`         sentences about organisation and kinds of neurons
`phrases`          numbers, steps and counts as words
=================  ==========================================================================
"""
