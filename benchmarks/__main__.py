"""``python -m benchmarks``: every benchmark, one after the other, on one thread."""

from __future__ import annotations

import torch

from benchmarks import bundled, capture, metrics, null_simulations, reports, warehouse

if __name__ == "__main__":
    torch.set_num_threads(1)
    bundled.main()
    metrics.main()
    null_simulations.main()
    capture.main()
    warehouse.main()
    reports.main()
