"""Plain Python decisions: values in, value and reason out. No clock, no I/O."""
