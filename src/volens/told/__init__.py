"""What people were told, against what is really used."""
