"""A route behind Django's usual middleware, in Plectrum and in django-bolt: for `bench.middleware`."""
