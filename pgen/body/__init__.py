"""What a person is: joints, parsing labels, parts, masks and affine geometry. Arrays in, arrays out, no files."""
