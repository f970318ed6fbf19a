"""Single charts of the report as files."""
