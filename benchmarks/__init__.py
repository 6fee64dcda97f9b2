"""What the README's figures come from: measured here and now, by `make bench`."""
