"""A load generator that costs less than the servers it measures: raw HTTP/2 and HTTP/1.1 on one event loop.

grpc.aio takes 0.2 ms of its process for a request, more than a fast server does. Here requests are bytes made
beforehand, connections are protocols without tasks or futures per request, and answers are told apart by
the bytes of their header blocks.
"""
