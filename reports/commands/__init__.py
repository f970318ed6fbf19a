"""The commands beside `build` and `serve`, and the options that all of them share."""
