"""Speed, memory and size of Cornu and of the alternatives that a user might pick. Run with ``scripts/bench``."""
