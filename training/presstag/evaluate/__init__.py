"""Judging: spans found against gold spans, for any callable from texts to spans."""
