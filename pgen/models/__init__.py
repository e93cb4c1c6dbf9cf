"""Networks and their layers: H_S, H_A, discriminators, pose detectors, parser, perceptual features. No files."""
