"""Results at the photo's own resolution: what the photo shows is carried there, the networks paint the rest."""
