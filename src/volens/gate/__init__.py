"""Who permits this use, now: decisions, reads, and the door through which things leave."""
