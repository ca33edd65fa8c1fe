"""Gradient descent from a drawing toward what its losses ask for."""
