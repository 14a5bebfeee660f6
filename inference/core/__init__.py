"""The scientific core of inference: no Django, and torch only in `network`, `weights` and `engine`."""
