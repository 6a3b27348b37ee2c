"""The flashing station: one state machine a place, any number of places in one process, and two faces of one state."""
