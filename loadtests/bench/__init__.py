"""
The benchmark: the gateway and the limit side by side, in one run (`make bench`).
"""
