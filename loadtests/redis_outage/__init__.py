"""
How the gateway fares while Redis is killed, away, and back with nothing in it.
"""
