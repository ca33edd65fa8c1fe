"""The quality of a drawing: its similarity to texts, the words nearest to it, and what each stroke adds."""
