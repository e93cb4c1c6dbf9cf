"""Networks and their layers: H_S, H_A, discriminators, pose detector, perceptual features; SSIM. No files."""
