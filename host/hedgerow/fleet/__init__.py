"""What a fleet is: its documents, its registry and the proposal that people write. No port is opened here."""
