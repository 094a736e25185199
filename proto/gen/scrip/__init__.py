"""
Hold the code generated from the public contract, by version.
"""
