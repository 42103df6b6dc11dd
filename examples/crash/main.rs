//! The long crash rehearsal: real gateways, real SFTP, killed again and again, and every invariant checked at the end.
//!
//! `cargo run --release --example crash -- --kills 1000 [--seed S] [--store sqlite|postgres://…] [--nodes N]`
//!
//! The last line tells kills, files, orders, lost and repeated; the status is 1 if any invariant broke. A seed repeats
//! what is under the rehearsal's control: what the partners send, and where and when the gateways are to die.

#[path = "../../tests/it/crash/rig/mod.rs"]
#[allow(dead_code)]
mod rig;

use std::process::ExitCode;

use clap::Parser;
use rig::gateway::{Program, become_gateway};
use rig::{Account, Plan, rehearse};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Kill gateways and check what is left.
#[derive(Debug, Parser)]
struct Args {
    /// How often a gateway is killed
    #[arg(long, default_value_t = 100)]
    kills: usize,
    /// From which all chance follows; none: a new one, which is printed
    #[arg(long)]
    seed: Option<u64>,
    /// sqlite, or the URL of a PostgreSQL in which a database may be made
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Gateways over one database (PostgreSQL)
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Keep the folder and the database
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn play(args: Args) -> ExitCode {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(1..1_000_000));
    if args.store == "sqlite" && args.nodes != 1 {
        eprintln!("SQLite serves one node; several need --store postgres://…");
        return ExitCode::from(2);
    }
    eprintln!("seed {seed}");
    let folder = match tempfile::Builder::new()
        .prefix("supercargo-crash-")
        .tempdir()
    {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("no folder for the rehearsal: {error}");
            return ExitCode::from(2);
        }
    };
    let database = format!("supercargo_crash_{}", uuid::Uuid::new_v4().simple());
    let url = match args.store.as_str() {
        "sqlite" => None,
        cluster => match make_database(cluster, &database).await {
            Ok(url) => Some(url),
            Err(error) => {
                eprintln!("no database can be made at {cluster}: {error}");
                return ExitCode::from(2);
            }
        },
    };
    let plan = Plan {
        seed,
        kills: args.kills,
        every_line: false,
        nodes: args.nodes,
        url,
        folder: folder.path().to_owned(),
        program: Program {
            leading: Vec::new(),
        },
        tells: true,
    };
    let account = rehearse(&plan).await;
    let code = tell(&account, &args.store, args.nodes, seed);
    if args.keep || !account.is_sound() {
        println!("kept: {} and {:?}", folder.keep().display(), plan.url);
        print_last(&account, seed);
    } else if plan.url.is_some() {
        drop_database(&args.store, &database).await;
        print_last(&account, seed);
    } else {
        print_last(&account, seed);
    }
    code
}

fn tell(account: &Account, store: &str, nodes: usize, seed: u64) -> ExitCode {
    let store = if store == "sqlite" {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    println!(
        "{store}, {nodes} node(s), seed {seed}: {} kills at any moment, and at",
        account.random
    );
    for line in supercargo::waypoint::ALL {
        let line = line.to_string();
        println!(
            "{:>6}  {line}",
            account.at_lines.get(&line).copied().unwrap_or_default()
        );
    }
    let found = &account.findings;
    for (what, sentences) in [
        ("lost", &found.lost),
        ("repeated", &found.repeated),
        ("wrong", &found.wrong),
    ] {
        for sentence in sentences.iter().take(100) {
            let short: String = sentence.chars().take(300).collect();
            println!("{what}: {short}");
        }
    }
    if account.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

fn print_last(account: &Account, seed: u64) {
    let found = &account.findings;
    println!(
        "kills {} files {} orders {} lost {} repeated {} wrong {} seed {seed}",
        account.kills(),
        found.files,
        found.orders,
        found.lost.len(),
        found.repeated.len(),
        found.wrong.len()
    );
}

async fn make_database(cluster: &str, name: &str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(cluster).await?;
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    let mut url =
        url::Url::parse(cluster).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    url.set_path(name);
    Ok(url.to_string())
}

async fn drop_database(cluster: &str, name: &str) {
    if let Ok(mut connection) = PgConnection::connect(cluster).await {
        // What stays behind is the cluster's owner's to drop.
        let _ = sqlx::query(AssertSqlSafe(format!(
            "DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        )))
        .execute(&mut connection)
        .await;
    }
}

fn main() -> ExitCode {
    if let Some(code) = become_gateway() {
        return code;
    }
    play(Args::parse())
}
