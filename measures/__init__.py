"""The numerics of Gazehouse: arrays in, numbers out. No I/O, no torch, no data frames; one idea a file."""
