"""Refining: from a practice's words to sentences, questions, fields, a program and examples.

A model drafts; what it drafts is checked here before anybody sees it. It is told words, names of fields,
types and operations: nothing of an entry goes to it, and nothing that was found out from entries, unless a
person made it an answer.
"""
