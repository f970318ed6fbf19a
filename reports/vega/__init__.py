"""Charts as Vega-Lite, made through Altair."""
