"""Measurements beside peers, in one run on one machine. What counts is the ratio, never the seconds."""
