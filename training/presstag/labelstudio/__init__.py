"""A running Label Studio: projects, articles with suggestions, annotations back, an ML backend."""
