"""What HTTP says, as pure functions: strings in, values out; no environ, no I/O.

Each module implements one part of the standards and names the clause. They load on first use:
``from wsgikit import http`` and then ``http.cookies.parse_cookies(text)``.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.http import accept as accept
    from wsgikit.http import authorization as authorization
    from wsgikit.http import cache_control as cache_control
    from wsgikit.http import caching as caching
    from wsgikit.http import charsets as charsets
    from wsgikit.http import compressible as compressible
    from wsgikit.http import conditions as conditions
    from wsgikit.http import cookies as cookies
    from wsgikit.http import dates as dates
    from wsgikit.http import encoders as encoders
    from wsgikit.http import etags as etags
    from wsgikit.http import forwarded as forwarded
    from wsgikit.http import grammar as grammar
    from wsgikit.http import headers as headers
    from wsgikit.http import hosts as hosts
    from wsgikit.http import jsontext as jsontext
    from wsgikit.http import location as location
    from wsgikit.http import media as media
    from wsgikit.http import multipart as multipart
    from wsgikit.http import openmetrics as openmetrics
    from wsgikit.http import params as params
    from wsgikit.http import parts as parts
    from wsgikit.http import problem as problem
    from wsgikit.http import query as query
    from wsgikit.http import ranges as ranges
    from wsgikit.http import selecting as selecting
    from wsgikit.http import status as status
    from wsgikit.http import structured as structured
    from wsgikit.http import traces as traces
    from wsgikit.http import variants as variants

_MODULES = (
    "accept authorization cache_control caching charsets compressible conditions cookies dates"
    " encoders etags forwarded grammar headers hosts jsontext location media multipart openmetrics"
    " params parts problem query ranges selecting status structured traces variants"
).split()

__all__ = list(_MODULES)

lazy(__name__, dict.fromkeys(_MODULES))
