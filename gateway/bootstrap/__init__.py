"""
Build the real objects and join them: the one place that knows every adapter.

Each port of the API and of the engine gets its adapter here, made from the settings.
Only `gateway.worker` and what is above it may import this package.
"""
