"""KServe made production-grade, once: codecs, deadlines, statuses, health, drain and metrics.

A service is a `RiskModel` handed to a `RiskServer`; but for `predictor_client`, the hop that two of them
share, nothing here knows graphs or domain names. Only `server`, `flags`, `lifecycle`, `grpc_front`,
`grpc_information` and the clients import kserve, so everything else can be tested in one process with
tritonclient, which registers the same protobuf package.
"""
