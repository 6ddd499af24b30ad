"""Claims: what may be said of runs beside their controls.

evidence        a statistic with its interval; Student's interval over runs
controls        what a claim is held against: a null, and step 0 and the shuffled run
specialisation  the statistics of rare-token specialisation, with their values over resampled contexts
judge           the verdict: supported, not detected or not identifiable
"""
