"""Statistics on any manifold."""
