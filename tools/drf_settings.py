"""Settings for suites whose source distribution has none; see `tools/drf_suite.py`."""

SECRET_KEY = "none"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"]
