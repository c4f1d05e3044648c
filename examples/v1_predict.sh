#!/usr/bin/env bash
# Score names over KServe's v1 protocol:  examples/v1_predict.sh [HOST:PORT]
set -euo pipefail

address="${1:-127.0.0.1:${TRANSFORMER_REST_PORT:-8080}}"

curl --silent --show-error --fail-with-body --max-time 10 \
  --data '{"instances": [{"domain": "example.com"}, {"domain": "xjw3k9qzt.example", "answers": "A 198.41.0.4"}]}' \
  "http://${address}/v1/models/dns-risk:predict"
echo
