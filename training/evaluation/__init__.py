"""What is said of votes over a data set: numbers, tables, a picture."""
