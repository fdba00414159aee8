"""What it costs: every figure is a ratio to something that is run in the same run, each variant in a process of its own."""
