//! The ceiling: every row of the finished database, read back and written into an empty schema with the same indexes by
//! bare set-based statements. No program that stores these rows durably can be faster than this on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use supercargo::storage::{Bind, Class, Connection, Failure, Store};

use super::Outcome;
use super::house::Ground;

/// Rows in one transaction.
const ROWS: usize = 10_000;

/// One table: its columns and rows.
#[derive(Clone)]
struct Table {
    standing: bool,
    into: String,
    chunks: Vec<Vec<Vec<Bind>>>,
}

/// What was found.
pub struct Ceiling {
    /// The shortest time in which all rows were written.
    pub took: Duration,
    /// Rows in all.
    pub rows: u64,
    /// Bytes of all values in all rows.
    pub bytes: u64,
}

/// Tables that an empty schema has rows of already.
const BORN: [&str; 3] = ["sequence", "lane", "_sqlx_migrations"];
/// Tables that hold what the gateway had before the first order. They are copied beforehand and not counted.
const STANDING: [&str; 12] = [
    "company",
    "partner",
    "profile",
    "connection",
    "mailbox_login",
    "edi_address",
    "address_connection",
    "item",
    "item_number",
    "price",
    "location",
    "warehouse",
];

/// Reads the rows that orders have made.
async fn read(store: &Store) -> Outcome<(Vec<Table>, u64, u64)> {
    let mut connection = store.read().await?;
    let names: Vec<(String,)> = match connection.is_sqlite() {
        true => connection.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid", vec![]).await?,
        false => connection.rows("SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace) ORDER BY oid", vec![]).await?,
    };
    let mut tables = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for (name,) in names
        .into_iter()
        .filter(|(name,)| !BORN.contains(&name.as_str()))
    {
        let columns = columns(&mut connection, &name).await?;
        let standing = STANDING.contains(&name.as_str());
        let mut rows = Vec::new();
        for column in &columns {
            let values = values(&mut connection, &name, column).await?;
            rows.resize_with(rows.len().max(values.len()), Vec::new);
            for (row, value) in rows.iter_mut().zip(values) {
                if !standing {
                    bytes += size(&value);
                }
                row.push(value);
            }
        }
        if !standing {
            count += rows.len() as u64;
        }
        let named: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let into = format!("INSERT INTO {name} ({})", named.join(", "));
        let mut chunks = Vec::new();
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(ROWS));
            chunks.push(std::mem::replace(&mut rows, rest));
        }
        tables.push(Table {
            standing,
            into,
            chunks,
        });
    }
    Ok((tables, count, bytes))
}

fn size(value: &Bind) -> u64 {
    match value {
        Bind::Int(value) => value.map_or(0, |_| 8),
        Bind::Text(value) => value.as_ref().map_or(0, |text| text.len() as u64),
        Bind::Bytes(value) => value.as_ref().map_or(0, |bytes| bytes.len() as u64),
        Bind::Array(_) => 0,
    }
}

async fn columns(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let sql = match connection.is_sqlite() {
        true => "SELECT name, UPPER(type) FROM pragma_table_info($1) ORDER BY cid",
        false => {
            "SELECT CAST(column_name AS TEXT), UPPER(data_type) FROM information_schema.columns
                  WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position"
        }
    };
    connection.rows(sql, vec![table.into()]).await
}

/// One column of a table, in the order of where its rows lie: nothing changes them any more, so it is the same for every
/// column.
async fn values(
    connection: &mut Connection,
    table: &str,
    (column, kind): &(String, String),
) -> Result<Vec<Bind>, Failure> {
    let place = if connection.is_sqlite() {
        "rowid"
    } else {
        "ctid"
    };
    let sql = format!("SELECT {column} FROM {table} ORDER BY {place}");
    Ok(match kind.as_str() {
        "TEXT" => {
            let rows: Vec<(Option<String>,)> = connection.rows(&sql, vec![]).await?;
            rows.into_iter().map(|row| Bind::Text(row.0)).collect()
        }
        "BLOB" | "BYTEA" => {
            let rows: Vec<(Option<Vec<u8>>,)> = connection.rows(&sql, vec![]).await?;
            rows.into_iter().map(|row| Bind::Bytes(row.0)).collect()
        }
        _ => {
            let rows: Vec<(Option<i64>,)> = connection.rows(&sql, vec![]).await?;
            rows.into_iter().map(|row| Bind::Int(row.0)).collect()
        }
    })
}

/// Measures with one, two, four and eight workers (SQLite has one writer) and takes the best.
pub async fn measure(ground: &Ground, store: &Store) -> Outcome<Ceiling> {
    let (tables, rows, bytes) = read(store).await?;
    let mut took = Duration::MAX;
    let workers: &[usize] = if ground.name() == "sqlite" {
        &[1, 2]
    } else {
        &[1, 2, 4, 8]
    };
    for workers in workers {
        let name = format!("ceiling{workers}");
        let empty = Store::open(ground.fresh(&name).await?).await?;
        loosen(&empty).await?;
        let (standing, fresh): (Vec<_>, Vec<_>) =
            tables.iter().cloned().partition(|table| table.standing);
        write(&empty, standing, 1).await?;
        took = took.min(write(&empty, fresh, *workers).await?);
        drop(empty);
        ground.drop(&name).await?;
    }
    Ok(Ceiling { took, rows, bytes })
}

/// Several workers write what refers to each other in any order, so nothing may ask for what is not there yet.
async fn loosen(store: &Store) -> Outcome<()> {
    if store.read().await?.is_sqlite() {
        return Ok(());
    }
    let keys: Vec<(String, String)> = store
        .read()
        .await?
        .rows(
            "SELECT CAST(conrelid AS regclass) || '', CAST(conname AS TEXT) FROM pg_constraint WHERE contype = 'f'",
            vec![],
        )
        .await?;
    for (table, name) in keys {
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
        store
            .write(Class::Ordinary, move |connection| {
                let sql = sql.clone();
                Box::pin(async move { connection.execute(&sql, vec![]).await })
            })
            .await?;
    }
    Ok(())
}

/// A chunk of rows that is written once.
type Chunk = (String, Mutex<Vec<Vec<Bind>>>);

async fn write(store: &Store, tables: Vec<Table>, workers: usize) -> Outcome<Duration> {
    let chunks: Arc<Vec<Chunk>> = Arc::new(
        tables
            .into_iter()
            .flat_map(|table| {
                let into = table.into;
                table
                    .chunks
                    .into_iter()
                    .map(move |rows| (into.clone(), Mutex::new(rows)))
            })
            .collect(),
    );
    let began = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..workers {
        let (store, chunks, next) = (store.clone(), chunks.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= chunks.len() {
                    return Ok::<(), Failure>(());
                }
                let chunks = chunks.clone();
                store
                    .write(Class::Ordinary, move |connection| {
                        insert(connection, chunks.clone(), at)
                    })
                    .await?;
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(began.elapsed())
}

fn insert(
    connection: &mut Connection,
    chunks: Arc<Vec<Chunk>>,
    at: usize,
) -> BoxFuture<'_, Result<u64, Failure>> {
    Box::pin(async move {
        let Some((into, rows)) = chunks.get(at) else {
            return Ok(0);
        };
        let rows = rows
            .lock()
            .map(|mut rows| std::mem::take(&mut *rows))
            .unwrap_or_default();
        connection.insert_many(into, rows, "").await
    })
}
