"""The terms of the field as values, and the rules over them; numpy and standard library only."""
