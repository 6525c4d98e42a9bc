"""What the documents say of the templates, made from the templates: tables, costs and the picture.

`python -m cloudformation.documents` writes it; a test fails when a document says something else.
"""
