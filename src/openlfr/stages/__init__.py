"""The stages of the analysis of a frame: functions of values, a batch in and a batch out."""
