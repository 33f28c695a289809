"""Every layer around applications of four frameworks, under six servers, over real connections.

``applications`` has the applications, ``rows`` the layers, ``servers`` the servers: each runs in a
process of its own, with all layers around one application; a request names its layer in ``X-Row``.
"""
