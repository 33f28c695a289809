"""A shared cache's parts: what it keeps, where, and who fetches. The layer ``cache`` has them."""
