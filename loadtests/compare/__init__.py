"""
An old commit and this checkout side by side, in one run (`make bench-compare`).

Owns the worktree of the old commit, the processes that keep each system, and the
report of what one is to the other. Imports the benchmark; what keeps the old system
imports the old commit's packages instead, and nothing else of this one.
"""
