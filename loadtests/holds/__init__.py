"""
Measure how soon holds are released when many of them end beside sales.

Owns the holds, when they end, and what is asked of their releases. The system under
load and the load itself are those of `loadtests.bench`; it imports no test.
"""
