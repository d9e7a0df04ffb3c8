//! Opening a connection with the session Django gives its own.

use rusqlite::{Connection, OpenFlags};

use super::config::Config;
use super::error;
use crate::error::Error;

/// Opens the database. Like Django's, the connection may write and creates a missing file.
pub(super) fn open(config: &Config) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let unavailable = |why: rusqlite::Error| Error::Unavailable(format!("{}: {why}", config.path));
    let connection = Connection::open_with_flags(&config.path, flags).map_err(unavailable)?;
    connection.set_prepared_statement_cache_capacity(config.statement_cache_size);
    let prepared = connection
        .busy_timeout(config.busy_timeout())
        .and_then(|()| connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA legacy_alter_table = OFF"));
    prepared.map_err(|why| error::classify(why, config.busy_timeout()))?;
    for command in &config.init {
        connection.execute_batch(command).map_err(|why| {
            Error::Unavailable(format!("{}: init command {command:?} failed: {why}", config.path))
        })?;
    }
    Ok(connection)
}
