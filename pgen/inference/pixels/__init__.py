"""Pictures worked on pixel by pixel: blending, shading, skin, texture."""
