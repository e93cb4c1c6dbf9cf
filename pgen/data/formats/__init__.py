"""Files of every format that is known here: photos, poses, parsing maps, lists of pairs."""
