"""The words of the field as frozen values, and pure rules over them (numpy and stdlib only)."""
