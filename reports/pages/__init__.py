"""One file a page: its queries, its charts, its words."""
