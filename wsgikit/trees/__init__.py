"""The files below a folder: which names can be asked for, what is there, and how it is opened."""
