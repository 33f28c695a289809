"""Files below a folder: named, found, described and sent, safely and with their validators."""
