"""Options: the table of keys, arguments, environment and file, and the settings made of them."""
