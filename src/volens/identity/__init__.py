"""Who it was is taken out of a purchase and sealed; from here on nobody is named."""
