"""What the page for phones says, one file a language. A new one needs all the keys of en.py, and nothing else."""
