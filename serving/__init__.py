"""KServe made production-grade, once: codecs, deadlines, statuses, health, drain and metrics.

A service is a `RiskModel` handed to a `RiskServer`; nothing here knows graphs or domain names.
Only `server`, `flags`, `lifecycle`, `grpc_front` and `grpc_information` import kserve, so everything else
can be tested in one process with tritonclient, which registers the same protobuf package.
"""
