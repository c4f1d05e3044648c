#!/usr/bin/env bash
# Score names over v2 REST in JSON:  examples/curl_rest.sh [HOST:PORT]
# The second name comes with what a resolver just saw for it, the first one with nothing.
set -euo pipefail

address="${1:-127.0.0.1:${TRANSFORMER_REST_PORT:-8080}}"

curl --silent --show-error --fail-with-body --max-time 10 \
  --header 'x-request-timeout-ms: 2000' \
  --data '{
    "id": "curl-1",
    "inputs": [
      {"name": "domain", "datatype": "BYTES", "shape": [2], "data": ["example.com", "xjw3k9qzt.example"]},
      {"name": "answers", "datatype": "BYTES", "shape": [2], "data": ["", "A 198.41.0.4, NS a.root-servers.net"]}
    ],
    "outputs": [{"name": "risk_score"}, {"name": "category"}, {"name": "neighbours"}, {"name": "status"}]
  }' \
  "http://${address}/v2/models/dns-risk/infer"
echo
