"""Pictures with maps and outlines over them, as numbers."""
