"""What Doorward costs, measured on this machine: ``make bench``."""
