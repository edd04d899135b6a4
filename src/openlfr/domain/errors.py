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
    """Whatever OpenLFR raises on purpose; its text is meant to be printed as it is."""


class BadInput(OpenLFRError):
    """One piece of input cannot be used; the rest goes on without it."""


class Conflict(OpenLFRError):
    """Something stands otherwise than the person who acts on it has seen; nothing was changed."""


class NotAllowed(OpenLFRError):
    """The person who asks has no role for it, or another one has to do it; nothing was changed."""


class Misconfigured(OpenLFRError):
    """A setting, an authorisation or a model is wrong; nothing may start before it is mended."""


class Unavailable(OpenLFRError):
    """A service, a file system or a device that is needed does not answer now."""
