"""Pure calculation: arrays and frames in, frozen results out; no file, network, clock or environment."""
