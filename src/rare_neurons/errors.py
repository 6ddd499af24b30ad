"""Two kinds of fault that a run tells apart (a third, a fault of the machine, is whatever else is raised)."""


class RequestError(ValueError):
    """What was asked for cannot be: a wrong key, a missing local step, a panel larger than its corpus."""


class DataFault(RuntimeError):
    """A checkpoint's bytes are not what they should be; it becomes a status and a reason, and the others go on."""
