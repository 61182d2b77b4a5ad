"""Plans ahead, purely: no clock, no network, no database."""
