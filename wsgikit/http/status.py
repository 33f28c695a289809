"""Status codes and their reason phrases (RFC 9110 §15, the IANA registry of HTTP status codes)."""

from __future__ import annotations

#: The reason phrase of every code in the IANA registry that is neither unused nor temporary.
PHRASES: dict[int, str] = {
    100: "Continue",
    101: "Switching Protocols",
    102: "Processing",
    103: "Early Hints",
    200: "OK",
    201: "Created",
    202: "Accepted",
    203: "Non-Authoritative Information",
    204: "No Content",
    205: "Reset Content",
    206: "Partial Content",
    207: "Multi-Status",
    208: "Already Reported",
    226: "IM Used",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    305: "Use Proxy",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    506: "Variant Also Negotiates",
    507: "Insufficient Storage",
    508: "Loop Detected",
    510: "Not Extended",
    511: "Network Authentication Required",
}

# The names of the classes, by first digit: the phrase of a valid code that nobody registered.
_CLASSES = ("", "Informational", "Successful", "Redirection", "Client Error", "Server Error")
_LINES = {code: f"{code} {phrase}" for code, phrase in PHRASES.items()}


def status_line(code: int) -> str:
    """The code and its phrase as ``start_response`` takes them: ``"404 Not Found"``.

    A valid code that is not registered gets the name of its class, ``"499 Client Error"``, since
    that is how a recipient has to treat it (RFC 9110 §15).

    :raises ValueError: when ``code`` is no ``int`` from 100 to 599 (``bool`` and ``str`` are not).
    """
    if isinstance(code, int):  # before the look-up: 200.0 would be found too
        line = _LINES.get(code)
        if line is not None:
            return line
        if 100 <= code <= 599:
            return f"{int(code)} {_CLASSES[code // 100]}"
    raise ValueError(f"a status is an int from 100 to 599, not {code!r}")
