"""What people see: cards, forms, choices, words. Pure: data in, discord objects out."""
