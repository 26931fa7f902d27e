"""The task japanese_vowels."""
