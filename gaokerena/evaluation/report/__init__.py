"""The report of an evaluation: one self-contained page and two Markdown files, in Persian and English."""
