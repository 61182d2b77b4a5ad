"""Reads `config/` into typed objects and says which file and line is wrong (SPEC HUB-6).

`workspace` knows where things are, `envfile` reads and writes the private `*.env` files, `hub` reads `config/hub.env`, and
`strategy` the YAML a person edits. The first three are imported at every start, so they stay free of heavy imports.
"""
