"""Evaluation: suites, recorded and live answers, decision rules, statistics, report."""
