"""The planted faults of row 3, by the rooms they are planted in. Each module lists its own in BEDS; `harmless` are no faults."""
