"""The forgotten item in a house: habits learned through the gate, one thing named at the door. The model is `volens.reminders`."""
