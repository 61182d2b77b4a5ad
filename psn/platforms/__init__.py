"""The platforms, one folder each, all alike (PLAT-1).

To add one:

* Write its folder like `x/`: `oauth.py` declares addresses and scopes, `rules.py` its limits, `wire.py` its JSON both ways
  and what its refusals mean, `adapter.py` sends. `__init__.py` ends in `PLATFORM = Platform(...)`.
* Name the folder in `registry.PLATFORMS`.
* Give the sandbox a module that answers like it, and let the adapter pass the tests that every adapter passes.
"""
