"""A model as a service: batches over depth, HTTP, a playground."""
