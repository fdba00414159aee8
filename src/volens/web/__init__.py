"""The web edge: one server for customers, staff and machines. Handlers are a few lines that call a station."""
