"""Scenario files: typed, validated, frozen."""
