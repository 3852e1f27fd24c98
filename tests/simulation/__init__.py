"""A simulation of people, programs, servers and failures, over the real planner, executor and database.

`python -m tests.simulation --seed N --steps M` replays one run; `test_simulation.py` does a few dozen.
"""
