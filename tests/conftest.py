from __future__ import annotations

from hypothesis import settings

# Shared machines are slow at times: a test's answer counts, not its time.
settings.register_profile("wsgikit", deadline=None, max_examples=60)
settings.load_profile("wsgikit")
