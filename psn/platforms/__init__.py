"""The platforms, one folder each, all alike (PLAT-1).

To add one:

* Write its folder like `x/`: `oauth.py` declares how people sign in, `rules.py` its limits, `wire.py` its JSON both ways, `adapter.py`
  sends. `__init__.py` ends in `PLATFORM = Platform(...)`, which also says how it bears witness to a call that nobody answered.
* Name the folder in `registry.PLATFORMS`.
* Give the sandbox a module that answers like it (`sandbox/platforms/__init__.py` is the guide), name what it can publish in
  `tests/contracts/formats.py`, and let it pass the suite that every platform passes.
"""
