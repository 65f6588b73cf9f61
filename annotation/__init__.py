"""The doctors' workspace: what is sent to Argilla, what comes back, how far to trust it.

Imports `gaokerena`, never `training`; what passes between them is a file with a written schema
(`gaokerena.expert_verdicts`, and pairs as JSON lines).
"""
