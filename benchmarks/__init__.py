"""Speed and size, always as a ratio to a named rival of the same run. `make bench` runs them all."""
