"""What is asked of a frame: other prompts, covered pictures, cut attention, changed models."""
