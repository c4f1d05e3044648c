"""Risk beside a DNS resolver: what it answers is scored, and what is bad goes into a Response Policy Zone.

The sidecar stands beside the path of queries, never in it: a resolver sends copies of its answers (dnstap),
takes a zone from it (RPZ), or asks it with a budget (datagrams) and goes on without an answer.
"""
