"""Use cases: one module per noun, one public method = one transaction."""
