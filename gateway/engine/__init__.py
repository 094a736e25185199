"""
The money path: the lane, its batches, and the ports to the books and to what is live.

Owns when things are locked, decided, committed and answered (design 3); the rules
themselves are in `gateway.domain`. Imports no driver, no gRPC and no Redis.
"""
