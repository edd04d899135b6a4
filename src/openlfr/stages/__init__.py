"""The rooms a frame goes through: functions over values, batch in, batch out."""
