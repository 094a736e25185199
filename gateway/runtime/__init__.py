"""
What a process needs before it does any business.

Settings, logging, metrics, the embedded stores and the supervisor of the worker
processes.  It lies below the adapters and imports nothing of ours; whoever needs
a part of it is handed that part by the entry point.
"""
