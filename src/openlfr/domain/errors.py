"""Errors, named by what the caller does about them.

    OpenLFRError
    ├── BadInput        count it, set it aside, go on        (one picture, one row, one message)
    ├── Conflict        look at it again, then decide        (exit code 2)
    ├── NotAllowed      this person may not do that          (exit code 2)
    ├── Misconfigured   stop at start, name the setting      (exit code 2)
    └── Unavailable     retry with backoff, or give up       (exit code 3)

Every message is one sentence or two for a person: what is wrong, where, what to do.
"""


class OpenLFRError(Exception):
    """Base of all errors that OpenLFR raises on purpose; the text can be printed unchanged."""


class BadInput(OpenLFRError):
    """One piece of input is unusable; processing continues without it."""


class Conflict(OpenLFRError):
    """The object has changed since the person saw it; the act was not carried out."""


class NotAllowed(OpenLFRError):
    """The person has no role for the act, or another person has to do it; nothing was changed."""


class Misconfigured(OpenLFRError):
    """A setting, an authorisation or a model is wrong and must be corrected before the start."""


class Unavailable(OpenLFRError):
    """A required service, file system or device does not answer now."""
