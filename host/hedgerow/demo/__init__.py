"""The whole of Hedgerow once, on virtual boards: what `hedgerow demo` runs, tells and proves."""
