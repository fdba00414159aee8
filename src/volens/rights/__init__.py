"""What a person may ask for about herself, and what is then really done."""
