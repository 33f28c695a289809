"""Servers side by side, each in its own process, under the load of wrk: see ``__main__``."""
