"""A thin gRPC server on HTTP/2: what one unary call costs in grpc.aio, seven cost here.

    frames ─▶ headers ─▶ connection ─▶ stream ─▶ server: methods of grpc's own handler objects

Nothing in here knows of tensors or models. RFC 9113 for HTTP/2, the gRPC-over-HTTP/2 document for the rest.
"""
