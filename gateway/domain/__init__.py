"""
Decide, purely: cards, commands, policy, double entry and one function per operation.

Owns the rules of money. No I/O, no clock, no randomness: the same functions serve the
server, the property tests and the books check. Imports `currency` only.
"""
