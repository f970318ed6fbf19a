"""An episode as a file to play: videos, and recordings for the Rerun viewer."""
