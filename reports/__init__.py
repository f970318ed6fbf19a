"""Static pages from the marts: `python -m reports` writes a site that opens from a folder, offline."""
