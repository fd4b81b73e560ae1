"""Pure functions of arrays: no state, no files, no random numbers (draws come in)."""
