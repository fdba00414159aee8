"""The lives of customers: cards that turn out to be one person's, moves, new cards, closings, and children who grow up."""
