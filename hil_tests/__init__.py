"""Hardware-in-the-loop tests. Knows boards only as a person at a table knows them; see conftest.py."""
