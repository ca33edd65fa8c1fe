"""How good a drawing is: its similarity to texts, the words nearest to it, and what each stroke adds."""
