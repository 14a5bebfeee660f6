"""The scientific core of training: bags, splits, heads, measures, cross-validation. No Django."""
