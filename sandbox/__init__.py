"""Stand-ins for the platforms on this machine: real HTTP, kept state, failures on demand (PLAT-4).

    python -m sandbox serve --state DIR --port N

Each platform is a folder below `platforms/`; its base URL is `http://127.0.0.1:N/<platform>`. People read the feed at
`/`, tests read the journal and order failures at `/_sandbox/`.
"""

__version__ = "1"
