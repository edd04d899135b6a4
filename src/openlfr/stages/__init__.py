"""The stages of the analysis of a frame: functions that map one batch of values to another."""
