"""Review: a local page on which a practice and the team look at every write before it happens."""
