from django.db import migrations

from plectrum.migrations import AddFeed


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial")]

    operations = [AddFeed("level")]
