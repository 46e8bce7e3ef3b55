"""What scripts of both folders share: backbones, timing, results as JSON, pages."""
