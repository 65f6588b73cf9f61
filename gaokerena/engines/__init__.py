"""Where answers come from: `local`, `endpoint`, `recorded` and `echo`, behind the protocol in `base`."""
