"""Which version of the plugin this is: the one place where it stands (setup.cfg reads it from here)."""

VERSION = "0.2.0"
