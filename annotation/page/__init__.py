"""What a doctor sees: the record's template, the questions, the guidelines, and what the answers mean.

`settings.dataset_settings` is the dataset, `fields.fields_of` a record's fields, `answers` the way to and from
`ExpertVerdict`. Knows nothing of servers: sending and fetching are `annotation.push` and `annotation.pull`.
"""
