"""The line-item table, its public dimensions, and nothing that knows who a customer is."""
