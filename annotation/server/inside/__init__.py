"""What runs inside the server's own virtual environment, beside the unmodified argilla-server.

Started as `python -m inside.main` with the folder above on the path (see ../launch.py); modules here import one another
relatively and otherwise only what that environment holds. `places` is plain Python and is also read from outside.
"""
