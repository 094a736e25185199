"""
Measure how the gateway fares while Redis is killed, away, and back with nothing in it.

Owns the outages, their spans and what is asked of them. The system under load and the
load itself are those of `loadtests.bench`; it imports no test.
"""
