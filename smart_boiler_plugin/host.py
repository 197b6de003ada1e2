"""What the host's types of data sources say."""

PLANNED = ["scheduler", "forecaster"]
"""Types of data sources that say what is planned or expected, and neither what was measured nor what is to be paid."""
