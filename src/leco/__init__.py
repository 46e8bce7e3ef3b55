"""Early exiting for Transformer encoders."""
