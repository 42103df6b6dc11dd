//! A fresh store on each engine that is there: SQLite always, PostgreSQL where the tests were given one.

use supercargo::storage::{Store, StoreLocation};
use tempfile::TempDir;

use crate::peers::postgres::{FreshDatabase, fresh_database};

/// A store, and what has to live as long as it does.
pub struct Engine {
    pub name: &'static str,
    pub store: Store,
    _folder: Option<TempDir>,
    _database: Option<FreshDatabase>,
}

/// Where an empty database of each engine is, and what has to live as long as it is used.
pub struct Place {
    pub name: &'static str,
    pub location: StoreLocation,
    _folder: Option<TempDir>,
    _database: Option<FreshDatabase>,
}

/// A place for a database on each engine that is there.
///
/// # Panics
/// When one can not be made.
pub async fn places() -> Vec<Place> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut places = vec![Place {
        name: "SQLite",
        location: StoreLocation::Sqlite(folder.path().join("supercargo.db")),
        _folder: Some(folder),
        _database: None,
    }];
    if let Some(database) = fresh_database().await {
        places.push(Place {
            name: "PostgreSQL",
            location: StoreLocation::Postgres(database.url.clone()),
            _folder: None,
            _database: Some(database),
        });
    }
    places
}

/// Every engine, each with an empty database of this version's schema.
///
/// # Panics
/// When a database can not be made.
pub async fn engines() -> Vec<Engine> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("supercargo.db");
    let mut engines = vec![Engine {
        name: "SQLite",
        store: Store::open(StoreLocation::Sqlite(file))
            .await
            .expect("SQLite opens"),
        _folder: Some(folder),
        _database: None,
    }];
    if let Some(database) = fresh_database().await {
        let location = StoreLocation::Postgres(database.url.clone());
        engines.push(Engine {
            name: "PostgreSQL",
            store: Store::open(location).await.expect("PostgreSQL opens"),
            _folder: None,
            _database: Some(database),
        });
    }
    engines
}
