//! How long every page of the console and every listing takes with a million orders in the database.
//!
//! ```text
//! cargo run --release --example million_orders -- --store sqlite --orders 1000000
//! cargo run --release --example million_orders -- --store postgres://postgres@127.0.0.1/postgres --orders 1000000
//! ```
//!
//! A few hundred orders go through the real pipeline and are multiplied by set-based statements over two years: nine of
//! ten are settled, the rest is owed, and one of fifty needs a person. Then the console is asked over HTTP for every list
//! with its filters, its first page, one in the middle and the last, for the page of one thing of each kind and state, and
//! for whatever can be searched for; and every listing for a thousand rows. Each is asked once to warm up and five times
//! for the figures. One line of JSON each comes out, the slowest first; status 1 if one of the five was over 200 ms. Before
//! that a hundred orders go through the pipeline over the full database, six times.
//!
//! `--keep FOLDER` leaves an SQLite database there, and measures the one that an earlier run left; with a PostgreSQL URL,
//! `--keep NAME` does so with a database of that name. A million orders take about 15 GB.

mod listings;
mod multiply;
mod pages;
mod seed;
mod trade;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use supercargo::config::settings::Settings;
use supercargo::domain::clock::Clock;
use supercargo::service::HouseClock;
use supercargo::storage::{Store, StoreLocation};
use supercargo::workflow::Gateway;

use multiply::{Filler, Part};
use seed::Seeder;

/// The result of everything here.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Something in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(String);

/// Milliseconds that no page and no listing may exceed.
const MOST: u128 = 200;
/// Requests of each that are counted.
const TIMES: usize = 5;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Measure every page and every listing over a database with many orders.
#[derive(Parser)]
struct Args {
    /// `sqlite`, or the URL of a PostgreSQL server on which databases may be made
    #[arg(long)]
    store: String,
    /// Orders in all, about
    #[arg(long, default_value_t = 1_000_000)]
    orders: i64,
    /// Keep the database, and measure the one that is kept already: a folder, or the name of a database
    #[arg(long)]
    keep: Option<String>,
    /// Where SQLite's files are made that are not kept
    #[arg(long, default_value = "target")]
    folder: PathBuf,
    /// Only what has this in its name
    #[arg(long, default_value = "")]
    only: String,
}

#[tokio::main]
async fn main() -> Outcome<ExitCode> {
    let args = Args::parse();
    // A gateway that serves writes its log; so what it looks up for that is measured, too.
    tracing_subscriber::fmt()
        .with_env_filter("warn,supercargo=info")
        .with_writer(std::io::sink)
        .init();
    std::fs::create_dir_all(&args.folder)?;
    let folder = tempfile::tempdir_in(&args.folder)?;
    let (location, is_there) = place(&args, folder.path()).await?;
    let data = folder.path().join("data");
    if !is_there {
        fill(&location, &data, args.orders).await?;
    }
    let over = measure(&location, &data, &args.only).await?;
    if args.keep.is_none()
        && let StoreLocation::Postgres(url) = &location
    {
        let name = name_of(url)?;
        statement(&args.store, format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    }
    Ok(if over {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Where the database is, and whether an earlier run has filled it.
async fn place(args: &Args, folder: &std::path::Path) -> Outcome<(StoreLocation, bool)> {
    if args.store == "sqlite" {
        let path = match &args.keep {
            Some(kept) => {
                std::fs::create_dir_all(kept)?;
                PathBuf::from(kept).join("orders.db")
            }
            None => folder.join("orders.db"),
        };
        let is_there = path.exists();
        return Ok((StoreLocation::Sqlite(path), is_there));
    }
    let name = match &args.keep {
        Some(name) => name.clone(),
        None => format!("supercargo_million_{}", std::process::id()),
    };
    let mut url = url::Url::parse(&args.store)?;
    url.set_path(&name);
    let made = statement(&args.store, format!("CREATE DATABASE {name}")).await;
    if let Err(error) = &made
        && args.keep.is_none()
    {
        return Err(Broken(format!("the database {name} could not be made: {error}")).into());
    }
    Ok((StoreLocation::Postgres(url.to_string()), made.is_err()))
}

fn name_of(url: &str) -> Outcome<String> {
    Ok(url::Url::parse(url)?
        .path()
        .trim_start_matches('/')
        .to_owned())
}

async fn statement(url: &str, sql: String) -> Outcome<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

fn settings(data: &std::path::Path) -> Settings {
    let mut settings = Settings {
        data: data.to_owned(),
        ..Settings::default()
    };
    // Notices are written into the outbox; nothing sends them.
    settings.mail.host = "mail.example.com".to_owned();
    settings.mail.from = "supercargo@example.com".to_owned();
    settings.mail.ops = vec!["ops@example.com".to_owned()];
    settings
}

/// A gateway without anything that runs by itself.
async fn open(
    location: &StoreLocation,
    data: &std::path::Path,
    now: Option<chrono::DateTime<chrono::Utc>>,
) -> Outcome<(Gateway, Arc<HouseClock>)> {
    let clock = Arc::new(HouseClock::starting_at(now));
    let store = Store::open(location.clone()).await?;
    let gateway = Gateway::new(store, clock.clone(), Arc::new(settings(data)));
    Ok((gateway, clock))
}

/// Seeds three parts and multiplies them.
async fn fill(location: &StoreLocation, data: &std::path::Path, orders: i64) -> Outcome<()> {
    let now = HouseClock::starting_at(None).now();
    let back = |days: i64| now - chrono::Duration::days(days);
    let (gateway, clock) = open(location, data, Some(back(730))).await?;
    let mut seeder = Seeder::furnish(&gateway, &clock).await?;
    let mut ends = vec![multiply::ends(&mut gateway.store.read().await?).await?];
    seeder.settled(back(730)).await?;
    ends.push(multiply::ends(&mut gateway.store.read().await?).await?);
    seeder.owed(back(60)).await?;
    ends.push(multiply::ends(&mut gateway.store.read().await?).await?);
    seeder.unsettled(back(12)).await?;
    ends.push(multiply::ends(&mut gateway.store.read().await?).await?);
    drop((gateway, seeder));
    // Its connections close in the background, and the filler wants SQLite's file for itself.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let hundreds = orders / i64::try_from(seed::ORDERS)?;
    let (owed, unsettled) = ((hundreds * 6 / 100).max(1), (hundreds * 5 / 100).max(1));
    let part = |n: usize, copies: i64, days: i64| Part {
        after: ends.get(n).cloned().unwrap_or_default(),
        until: ends.get(n + 1).cloned().unwrap_or_default(),
        copies,
        over: days * DAY,
    };
    // Of the forty unsettled orders of a copy five are refused before they become one.
    let settled = (hundreds - owed - unsettled * 35 / 100 - 3).max(1);
    let parts = [
        part(0, settled, 640),
        part(1, owed, 45),
        part(2, unsettled, 9),
    ];
    let mut filler = Filler::open(location).await?;
    let strides = ends.last().cloned().unwrap_or_default();
    filler.multiply(&parts, &strides).await
}

/// Sends a hundred orders through the pipeline a few times, and tells.
async fn trade(gateway: &Gateway, clock: &Arc<HouseClock>) -> Outcome<()> {
    // Numbers that no run before has used.
    let number = u64::try_from(clock.now().timestamp())? % 9_000_000 * 100;
    let mark = format!("QT{number:09}");
    let mut seeder = Seeder::join(gateway, clock, mark, number).await?;
    let mut took = Vec::new();
    while took.len() <= TIMES {
        took.push(seeder.hundred().await?);
    }
    let (_, median, worst) = figure("trade", &took);
    let line = serde_json::json!({
        "what": "a hundred orders, in twenty files, from their 850s to open receivables",
        "median_ms": u64::try_from(median)?,
        "worst_ms": u64::try_from(worst)?,
    });
    println!("{line}");
    Ok(())
}

/// Asks for everything, and tells; whether anything took too long.
async fn measure(location: &StoreLocation, data: &std::path::Path, only: &str) -> Outcome<bool> {
    let (gateway, clock) = open(location, data, None).await?;
    if "trade".contains(only) {
        trade(&gateway, &clock).await?;
    }
    let console = pages::Console::open(&gateway).await?;
    let mut connection = gateway.store.read().await?;
    let orders = connection
        .number("SELECT COUNT(*) FROM purchase_order", vec![])
        .await?;
    let middle = connection
        .number("SELECT id FROM purchase_order WHERE id >= (SELECT MAX(id) / 2 FROM purchase_order) ORDER BY id LIMIT 1", vec![])
        .await?;
    let paths = pages::paths(&mut connection).await?;
    drop(connection);
    eprintln!("{orders} orders");
    let mut figures = Vec::new();
    for path in paths.iter().filter(|path| path.contains(only)) {
        let mut took = Vec::new();
        while is_asked_again(&took) {
            took.push(console.page(path).await?);
        }
        figures.push(figure(path, &took));
    }
    for listing in listings::listings(&gateway, middle) {
        if !listing.name.contains(only) {
            continue;
        }
        let mut took = Vec::new();
        while is_asked_again(&took) {
            took.push(listing.take(&gateway).await?);
        }
        figures.push(figure(&listing.name, &took));
    }
    figures.sort_by_key(|(_, _, worst)| std::cmp::Reverse(*worst));
    for (name, median, worst) in &figures {
        let line = serde_json::json!({
            "what": name,
            "median_ms": u64::try_from(*median)?,
            "worst_ms": u64::try_from(*worst)?,
        });
        println!("{line}");
    }
    let over = figures.iter().filter(|(_, _, worst)| *worst > MOST).count();
    eprintln!(
        "{} asked for, {over} over {MOST} ms, {orders} orders",
        figures.len()
    );
    Ok(over > 0)
}

/// Once more than is counted, for the first finds nothing at hand; what takes far too long is not asked again.
fn is_asked_again(took: &[Duration]) -> bool {
    took.len() <= TIMES && took.iter().all(|once| once.as_millis() < 10 * MOST)
}

/// Its name, its median and its worst, the first but for a single one not among them.
fn figure(name: &str, took: &[Duration]) -> (String, u128, u128) {
    let mut counted = took
        .get(1..)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(took)
        .to_vec();
    counted.sort_unstable();
    let of = |at: usize| counted.get(at).map_or(0, Duration::as_millis);
    let (median, worst) = (of(counted.len() / 2), of(counted.len().saturating_sub(1)));
    if worst > MOST {
        eprintln!("{worst} ms: {name}");
    }
    (name.to_owned(), median, worst)
}
