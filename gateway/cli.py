"""
The entry of the `scrip` command.
"""

from gateway.console.root import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
