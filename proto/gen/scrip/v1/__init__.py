"""
Hold version 1 of the public contract, generated from proto/scrip/v1.
"""
