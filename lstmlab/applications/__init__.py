"""What finished runs are used for, one command per file: each has ``main(arguments)``, called by the command line."""
