"""The queues that `benchmarks.queues` compares, one module each, and what they share. Every module but `servers` is a process.

place.py      where a run keeps its things, handed to every process in its environment
servers.py    Postgres, Redis and the HTTP stub of a run, and processes that end with it
stub.py       the HTTP stub: takes one POST per task and writes down when it came
jobs.py       what the tasks do, the same for every system
noise.py      how much of the machine others use meanwhile
program.py    the verbs of a system's process: prepare, work, throughput, lateness
psn_cluster.py   stock_cluster.py   procrastinate_worker.py   celery_worker.py
"""
