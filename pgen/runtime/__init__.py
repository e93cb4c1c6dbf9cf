"""Files, processes and signals: what any program needs."""
