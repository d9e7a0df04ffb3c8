"""What the shop had before Plectrum: Django REST framework, beside the API and on the same models.

`docs/drf.md` follows it from one line in the settings to a native route.
"""
