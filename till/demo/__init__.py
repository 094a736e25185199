"""
Show the whole system at work: `scrip demo`.

Owns the demo's own data folder, the run of real shoppers through real tills against a
gateway that it starts by the `scrip` command, and the summary. It must not import
gateway: everything goes over the command line and the wire.
"""
