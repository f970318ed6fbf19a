"""What pages are drawn from: the warehouse by named queries, the run on show, its verdicts."""
