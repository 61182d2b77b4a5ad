"""Reads `config/` into typed objects and says which file and line is wrong (SPEC HUB-6).

`workspace` knows where things are, `envfile` reads and writes the private `*.env` files, and `hub` reads `config/hub.env`. These are
imported at every start, so they stay free of heavy imports. `yamlfile` reads the YAML that a person edits, which is `strategy` and
`company`; `preferences` are set key by key and kept in the hub; `differences` puts documents of configuration beside each other.
"""
