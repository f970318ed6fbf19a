"""What pages are made of, and how it becomes HTML."""
