"""Which objects a frame shows, where, and what part they play in the instruction."""
