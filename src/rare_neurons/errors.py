"""The two kinds of fault that are not the machine's: a wrong request and wrong data."""


class RequestError(ValueError):
    """What was asked for cannot be done as asked; raised before any job starts where possible."""


class DataFault(RuntimeError):
    """A checkpoint's bytes are not what they should be: its rows carry this reason, the others go on."""
