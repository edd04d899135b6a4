"""Exceptions, one class for each reaction of the caller.

    OpenLFRError
    ├── BadInput        count the input, set it aside, continue   (a picture, row or message)
    ├── Conflict        look at the object again, then decide     (exit code 2)
    ├── NotAllowed      refuse the act                            (exit code 2)
    ├── Misconfigured   stop at the start, name the setting       (exit code 2)
    └── Unavailable     retry with backoff, then fail             (exit code 3)

Every message is for people. It states the problem, its place and a remedy in one or two sentences.
"""


class OpenLFRError(Exception):
    """Base class of all errors that OpenLFR raises; the message is safe to print unchanged."""


class BadInput(OpenLFRError):
    """One piece of input is unusable; processing continues without it."""


class Conflict(OpenLFRError):
    """The object has changed since the person saw it; the act was not executed."""


class NotAllowed(OpenLFRError):
    """The person lacks the role for the act, or another person must act; nothing was changed."""


class Misconfigured(OpenLFRError):
    """A setting, an authorisation or a model is wrong and must be corrected before the start."""


class Unavailable(OpenLFRError):
    """A required service, file system or device does not respond at the moment."""
