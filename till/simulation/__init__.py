"""
Simulate shoppers and tills: who buys what, where, when, and what goes wrong.

Owns the real purchases (data/cdnow.txt.gz) re-dated and given to 453 stores, the plan
made of them by a fixed seed, and its replay over any sender. Like all of till it must
not import gateway; the plan reads no clock and no network.
"""
