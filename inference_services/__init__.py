"""How the services run together: on one machine here, on a cluster by the manifests."""
