"""What a person is: joints, parsing labels, parts, masks and affines. Arrays in, arrays out, no files."""
