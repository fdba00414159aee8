"""Invitations: a link that somebody shares herself, the friend who follows it, and rules against fraud that say what they saw."""
