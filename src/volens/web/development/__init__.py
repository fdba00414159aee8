"""What `volens serve --development` adds: somebody who vouches for invented people, on this machine alone."""
