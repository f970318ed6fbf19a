"""What the command line turns into one line."""


class ReportError(Exception):
    """The user's mistake, or something only the user can mend; the message says which command does."""


class WarehouseMissingError(ReportError):
    """No warehouse, or one without the marts that pages read."""


class OutputRefusedError(ReportError):
    """The output folder holds something that is not a site of ours."""
