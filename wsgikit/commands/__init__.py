"""The commands of ``wsgikit``, one module each: ``add`` describes it, ``run`` does it."""
