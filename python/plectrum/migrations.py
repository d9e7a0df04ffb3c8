"""Migration operations."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

from .feeds import channel_of

__all__ = ["AddFeed"]

# The payload is a few dozen bytes whatever the row: PostgreSQL allows 8000. Rows are read by those who want them.
_FUNCTION = """
CREATE SEQUENCE IF NOT EXISTS plectrum_feed_id;
CREATE OR REPLACE FUNCTION plectrum_feed() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    PERFORM pg_notify(TG_ARGV[0], json_build_object(
        'o', lower(TG_OP), 'i', nextval('plectrum_feed_id'), 'k', to_jsonb(changed) -> TG_ARGV[1])::text);
    RETURN NULL;
END
$function$;
"""


class AddFeed(Operation):
    """Lets a model's table tell of its changes, for :meth:`plectrum.API.feed`.

    It adds a trigger to the table, and once per database a function and a sequence (``plectrum_feed``,
    ``plectrum_feed_id``). Databases other than PostgreSQL are left alone.

    Parameters:
        model_name: of this app.

    Example::

        operations = [AddFeed("article")]
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models stay as they are."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Adds the trigger."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self._concerns(schema_editor, model):
            return
        quote, table = schema_editor.quote_name, model._meta.db_table
        schema_editor.execute(_FUNCTION)
        schema_editor.execute(
            f"CREATE OR REPLACE TRIGGER plectrum_feed AFTER INSERT OR UPDATE OR DELETE ON {quote(table)} "
            f"FOR EACH ROW EXECUTE FUNCTION plectrum_feed({_text(channel_of(table))}, {_text(model._meta.pk.column)})"
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Removes the trigger."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self._concerns(schema_editor, model):
            table = schema_editor.quote_name(model._meta.db_table)
            schema_editor.execute(f"DROP TRIGGER IF EXISTS plectrum_feed ON {table}")

    def _concerns(self, schema_editor: Any, model: Any) -> bool:
        connection = schema_editor.connection
        return connection.vendor == "postgresql" and self.allow_migrate_model(connection.alias, model)

    def describe(self) -> str:
        """For ``migrate``."""
        return f"Let {self.model_name} tell of its changes"

    @property
    def migration_name_fragment(self) -> str:
        """For the name of a generated migration."""
        return f"{self.model_name.lower()}_feed"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
