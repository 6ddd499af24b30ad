"""Results that know where they come from.

=============  ==================================================================================
`asked`        models, checkpoints, panels and subjects of a configuration, and the files they make
`parameters`   what the configuration says of each file, beside what the file says of itself
`inputs`       digests of what each file was made from, beside those it names
`tree`         a whole results folder: what is missing, damaged, stale or not what a manifest says
`elsewhere`    files that another folder's runs have made: taken, or refused with what differs
=============  ==================================================================================
"""
