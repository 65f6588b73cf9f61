"""A real Argilla server for one machine: SQLite alone, no Docker, Elasticsearch, Redis or second process.

    python -m annotation serve --home DIR       start it (server_cli.py)
    with running(home) as server: …             the same from Python (launch.py)

`environment` makes the server's own virtual environment, `home` keeps its folder, `launch` starts it, `backup` copies
its database. `inside` is the code that runs in that environment, beside the unmodified argilla-server. This package
imports nothing else of the project and knows nothing of what is annotated. Not covered: Argilla's normal set-up
(Postgres, Elasticsearch, Redis), several machines, Windows (the lock and the start use POSIX calls).
"""
