"""What the developer sees of a failure: the traceback, the request, and how to repeat it."""
