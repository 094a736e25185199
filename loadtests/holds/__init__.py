"""
How soon holds are released when many end at once, beside sales.

`python -m loadtests.holds`; what is asked for stands in its `__main__`.
"""
