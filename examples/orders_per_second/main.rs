//! How many orders a second go from a received file to an open receivable, and how many the database could store at
//! best, in one run.
//!
//! ```text
//! cargo run --release --example orders_per_second -- --store sqlite --orders 4000
//! cargo run --release --example orders_per_second -- --store postgres://postgres@127.0.0.1/postgres --orders 4000
//! cargo run --release --example orders_per_second -- --store sqlite --rate 100 --seconds 60
//! ```
//!
//! Half of the orders come a hundred to an interchange, half one to a file; twenty lines each, of 10,000 items, to 500
//! stores. 997, 855, 856 and 810 are built, validated, stored and delivered for every order. The databases are made
//! fresh and thrown away: SQLite in a folder under `target/` (`synchronous=FULL`), PostgreSQL on the server that the URL
//! names, as it is set up there.

mod ceiling;
mod feed;
mod house;
mod orders;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use clap::Parser;
use supercargo::service::Service;
use supercargo::storage::Store;
use supercargo::storage::effort::{self, Spent};
use supercargo::workflow::receive::UploadSource;

use feed::{Watch, hand_over, percentile};
use house::{Ground, Sender, furnish, serve, settle};
use orders::Catalogue;

/// The result of everything here.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Something in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(String);

/// Measure orders per second against the database's own ceiling.
#[derive(Parser)]
struct Args {
    /// `sqlite`, or the URL of a PostgreSQL server on which databases may be made
    #[arg(long)]
    store: String,
    /// Orders in all
    #[arg(long, default_value_t = 2_000)]
    orders: u64,
    /// Partners that send them
    #[arg(long, default_value_t = 4)]
    partners: u64,
    /// Orders of an interchange, where there are many in one
    #[arg(long, default_value_t = 100)]
    per_interchange: u64,
    /// Files that wait for their 997 at any time, at most
    #[arg(long, default_value_t = 32)]
    waiting: i64,
    /// Instead of as fast as possible: single files a second
    #[arg(long)]
    rate: Option<u64>,
    /// For how long, with --rate
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// With --rate: one more partner sends one file of so many bytes first
    #[arg(long)]
    beside_large_file: Option<u64>,
    /// Processes that work on the database, this one among them (PostgreSQL)
    #[arg(long, default_value_t = 1)]
    nodes: u64,
    /// Where SQLite's files are made
    #[arg(long, default_value = "target")]
    folder: PathBuf,
    /// Measure no ceiling
    #[arg(long)]
    no_ceiling: bool,
    /// Work on this database until standard input ends; what --nodes starts
    #[arg(long, hide = true)]
    node: bool,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let args = Args::parse();
    // A gateway that serves writes its log; so what it costs is measured, too.
    tracing_subscriber::fmt()
        .with_env_filter("warn,supercargo=info")
        .with_writer(std::io::sink)
        .init();
    if args.node {
        return node(&args).await;
    }
    let ground = Ground::open(&args.store, &args.folder)?;
    let location = ground.fresh("pipeline").await?;
    let service = serve(location, ground.folder().to_owned()).await?;
    let catalogue = Arc::new(Catalogue::new());
    let day = service.gateway.now().date_naive();
    let senders = furnish(&service, &catalogue, args.partners + 1).await?;
    let mut others = start_nodes(&args, &ground)?;
    let before = effort::spent();
    let (watch, watching) = Watch::begin(service.gateway.store.clone(), args.rate.is_some());
    let began = Instant::now();
    let orders = match args.rate {
        Some(rate) => steadily(&args, rate, &service, &catalogue, &senders, &watch, day).await?,
        None => at_once(&args, &service, &catalogue, &senders, &watch, day).await?,
    };
    if args.rate.is_none() {
        settle(&service).await?;
    }
    let took = began.elapsed();
    let waits = watch.end()?;
    watching.await??;
    let spent = difference(effort::spent(), before);
    let peak = peak_rss_mb()?;
    others.clear();
    let store = service.gateway.store.clone();
    if args.rate.is_none() {
        check(&store, orders).await?;
    }
    service.stop().await;
    let ceiling = match args.no_ceiling || args.rate.is_some() {
        true => None,
        false => Some(ceiling::measure(&ground, &store).await?),
    };
    drop(store);
    ground.drop("pipeline").await?;
    let report = Report {
        store: ground.name(),
        nodes: args.nodes,
        orders,
        took,
        waits,
        spent,
        peak,
        ceiling,
    };
    println!("{}", serde_json::to_string_pretty(&report.json())?);
    Ok(())
}

/// Another process of the same gateway; killed with this value.
struct Node(std::process::Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It works on the database alone; whatever it had begun is taken over or thrown away.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_nodes(args: &Args, ground: &Ground) -> Outcome<Vec<Node>> {
    let mut nodes = Vec::new();
    for _ in 1..args.nodes {
        let Ground::Cluster { .. } = ground else {
            return Err(Broken(
                "--nodes needs PostgreSQL: SQLite belongs to one process".to_owned(),
            )
            .into());
        };
        let child = std::process::Command::new(std::env::current_exe()?)
            .args(["--node", "--store", &ground.url("pipeline")?, "--folder"])
            .arg(&args.folder)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()?;
        nodes.push(Node(child));
    }
    Ok(nodes)
}

async fn node(args: &Args) -> Outcome<()> {
    let folder = tempfile::tempdir_in(&args.folder)?;
    let location = supercargo::storage::StoreLocation::Postgres(args.store.clone());
    let service = serve(location, folder.path().to_owned()).await?;
    tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|n| n > 0) {}
    })
    .await?;
    service.stop().await;
    Ok(())
}

/// Half of the orders in large interchanges, then half one to a file: every partner sends one file after the other, all
/// partners at once, as fast as their 997s come back.
async fn at_once(
    args: &Args,
    service: &Service,
    catalogue: &Arc<Catalogue>,
    senders: &[Sender],
    watch: &Watch,
    day: NaiveDate,
) -> Outcome<u64> {
    let mut sizes = Vec::new();
    let mut planned = 0;
    while planned < args.orders {
        let many = match planned < args.orders / 2 {
            true => args.per_interchange.min(args.orders / 2 - planned),
            false => 1,
        };
        sizes.push((planned, many));
        planned += many;
    }
    let partners = usize::try_from(args.partners)?;
    let mut sending = Vec::new();
    for (at, sender) in senders.iter().take(partners).cloned().enumerate() {
        let own: Vec<(u64, u64)> = sizes.iter().skip(at).step_by(partners).copied().collect();
        let (gateway, catalogue, watch) =
            (service.gateway.clone(), catalogue.clone(), watch.clone());
        let waiting = args.waiting;
        sending.push(tokio::spawn(async move {
            for (number, many) in own {
                while watch.open() >= waiting {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let bytes = catalogue.interchange(&sender.id, number + 1, many, day);
                let complete = Instant::now();
                let file = hand_over(&gateway, &sender, UploadSource::Bytes(bytes)).await?;
                watch.complete(file, complete)?;
            }
            Outcome::Ok(())
        }));
    }
    for sending in sending {
        sending.await??;
    }
    Ok(planned)
}

/// Single files at a steady rate, whatever comes back.
async fn steadily(
    args: &Args,
    rate: u64,
    service: &Service,
    catalogue: &Catalogue,
    senders: &[Sender],
    watch: &Watch,
    day: NaiveDate,
) -> Outcome<u64> {
    let large = match (args.beside_large_file, senders.last()) {
        (Some(bytes), Some(sender)) => {
            let path = args
                .folder
                .join(format!("large-{}.edi", std::process::id()));
            large_file(&path, catalogue, sender, bytes, day)?;
            let (gateway, sender) = (service.gateway.clone(), sender.clone());
            let began = Instant::now();
            Some(tokio::spawn(async move {
                let outcome = hand_over(&gateway, &sender, UploadSource::Path(path.clone())).await;
                let removed = std::fs::remove_file(&path);
                eprintln!(
                    "the large file was received after {} ms",
                    began.elapsed().as_millis()
                );
                outcome.and_then(|_| Ok(removed?))
            }))
        }
        _ => None,
    };
    let began = Instant::now();
    let total = rate * args.seconds;
    let mut tasks = Vec::new();
    for n in 0..total {
        let due = began + Duration::from_micros(n * 1_000_000 / rate);
        tokio::time::sleep_until(due.into()).await;
        let at = usize::try_from(n % args.partners).unwrap_or_default();
        let Some(sender) = senders.get(at).cloned() else {
            continue;
        };
        let bytes = catalogue.interchange(&sender.id, 1_000_000 + n, 1, day);
        let (gateway, watch) = (service.gateway.clone(), watch.clone());
        tasks.push(tokio::spawn(async move {
            let complete = Instant::now();
            let file = hand_over(&gateway, &sender, UploadSource::Bytes(bytes)).await?;
            watch.complete(file, complete)
        }));
    }
    for task in tasks {
        task.await??;
    }
    while watch.open() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if let Some(large) = large {
        if large.is_finished() {
            large.await??;
        } else {
            large.abort();
            eprintln!("the large file was still being received");
        }
    }
    Ok(total)
}

/// One interchange of so many bytes, written in parts.
fn large_file(
    path: &Path,
    catalogue: &Catalogue,
    sender: &Sender,
    bytes: u64,
    day: NaiveDate,
) -> Outcome<()> {
    use std::io::Write;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let (mut written, mut number) = (0, 0);
    while written < bytes {
        number += 1;
        let part = catalogue.interchange(&sender.id, number, 1_000, day);
        file.write_all(&part)?;
        written += part.len() as u64;
    }
    Ok(file.flush()?)
}

/// Every order must have become an open receivable, with its four documents delivered.
async fn check(store: &Store, orders: u64) -> Outcome<()> {
    let mut connection = store.read().await?;
    let wanted = i64::try_from(orders)?;
    for (what, sql) in [
        (
            "orders",
            "SELECT COUNT(*) FROM purchase_order WHERE status = 'invoiced'",
        ),
        (
            "open invoices",
            "SELECT COUNT(*) FROM invoice WHERE open > 0",
        ),
        (
            "855s",
            "SELECT COUNT(*) FROM document WHERE set_code = '855' AND delivery = 'delivered'",
        ),
        (
            "856s",
            "SELECT COUNT(*) FROM document WHERE set_code = '856' AND delivery = 'delivered'",
        ),
        (
            "810s",
            "SELECT COUNT(*) FROM document WHERE set_code = '810' AND delivery = 'delivered'",
        ),
    ] {
        let found = connection.number(sql, vec![]).await?;
        if found != wanted {
            return Err(Broken(format!("{found} {what} came of {wanted} orders")).into());
        }
    }
    Ok(())
}

fn difference(after: Spent, before: Spent) -> Spent {
    Spent {
        reading: after.reading - before.reading,
        rendering: after.rendering - before.rendering,
        storing: after.storing - before.storing,
        working: after.working - before.working,
        waiting: after.waiting - before.waiting,
        statements: after.statements - before.statements,
    }
}

fn peak_rss_mb() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| Broken("the kernel does not tell the peak of memory".to_owned()))?;
    Ok(kilobytes.parse::<u64>()? / 1_024)
}

/// What was measured.
struct Report {
    store: &'static str,
    nodes: u64,
    orders: u64,
    took: Duration,
    waits: Vec<Duration>,
    spent: Spent,
    peak: u64,
    ceiling: Option<ceiling::Ceiling>,
}

/// `part` of `whole` with two decimals.
fn hundredths(part: u128, whole: u128) -> serde_json::Value {
    let hundredths = u64::try_from(part * 100 / whole.max(1)).unwrap_or(u64::MAX);
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    serde_json::from_str(&text).unwrap_or_default()
}

impl Report {
    fn json(&self) -> serde_json::Value {
        let per_second =
            |took: Duration| u128::from(self.orders) * 1_000_000 / took.as_micros().max(1);
        let orders = u128::from(self.orders);
        let whole = self.spent.working.saturating_sub(self.spent.waiting);
        let share = |nanoseconds: u64| hundredths(nanoseconds.into(), whole.into());
        let known = self.spent.reading + self.spent.rendering + self.spent.storing;
        let mut json = serde_json::json!({
            "store": self.store,
            "nodes": self.nodes,
            "orders": self.orders,
            "orders_per_second": u64::try_from(per_second(self.took)).unwrap_or(u64::MAX),
            "p50_ms": u64::try_from(percentile(&self.waits, 50)).unwrap_or(u64::MAX),
            "p99_ms": u64::try_from(percentile(&self.waits, 99)).unwrap_or(u64::MAX),
            "peak_rss_mb": self.peak,
            "statements_per_order": hundredths(self.spent.statements.into(), orders),
            "reading": share(self.spent.reading),
            "deciding": share(whole.saturating_sub(known)),
            "rendering": share(self.spent.rendering),
            "storing": share(self.spent.storing),
        });
        if let (Some(ceiling), Some(fields)) = (&self.ceiling, json.as_object_mut()) {
            let best = u64::try_from(per_second(ceiling.took)).unwrap_or(u64::MAX);
            fields.insert("ceiling_orders_per_second".to_owned(), best.into());
            fields.insert(
                "ratio".to_owned(),
                hundredths(ceiling.took.as_micros(), self.took.as_micros()),
            );
            fields.insert(
                "rows_per_order".to_owned(),
                hundredths(ceiling.rows.into(), orders),
            );
            fields.insert(
                "bytes_per_order".to_owned(),
                (ceiling.bytes / self.orders.max(1)).into(),
            );
        }
        json
    }
}
