"""``python -m benchmarks``: every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import capture, metrics, null_simulations

if __name__ == "__main__":
    capture.main()
    metrics.main()
    null_simulations.main()
