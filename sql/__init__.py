"""SQL of Gazehouse: the schema of ``raw``, macros, queries and checks."""
