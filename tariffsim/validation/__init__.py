"""The model held against what happened: a base year of 2017, outcomes, scores."""
