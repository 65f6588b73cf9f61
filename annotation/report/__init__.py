"""The doctors' report as one page in Persian; its figures are drawn as those of the evaluation's report are."""
