"""Policies trained so that the truth about them is known: what a sound analysis has to find. See docs/demo.md."""
