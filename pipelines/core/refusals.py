"""Why a command could not do what was asked, in words for the person who asked."""


class Refused(Exception):  # noqa: N818 - reads as what happened; the CLI prints it and ends with 1
    """A command cannot go on.

    Attributes:
        message: One or more lines that say what is wrong and where.
        hint: What to do about it, or nothing when the message already says so.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
