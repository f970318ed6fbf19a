"""One module an adapter, each with its CASES."""
