"""The pure core: what an event is, how edits merge, what is written. No Django, no I/O, no clock."""
