//! Killed anywhere, and nothing is lost and nothing happens twice: the short runs. `examples/crash` is the long one.

mod power;
mod rig;
mod trouble;

use supercargo::waypoint;

use crate::peers::postgres::fresh_database;
use rig::gateway::{Program, become_gateway};
use rig::{Account, Plan, rehearse};

/// How the test binary starts itself as the gateway.
fn program() -> Program {
    let leading = [
        "--exact",
        "crash::the_gateway_of_a_rehearsal",
        "--nocapture",
        "--test-threads=1",
    ];
    Program {
        leading: leading.map(str::to_owned).to_vec(),
    }
}

/// Not a test: the door through which a rehearsal starts this program as the gateway.
#[test]
fn the_gateway_of_a_rehearsal() {
    if let Some(code) = become_gateway() {
        std::process::exit(if code == std::process::ExitCode::SUCCESS {
            0
        } else {
            2
        });
    }
}

async fn rehearsed(
    name: &str,
    kills: usize,
    every_line: bool,
    nodes: usize,
    url: Option<String>,
) -> Account {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = match std::env::var("SUPERCARGO_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => fastrand::u64(1..1_000_000),
    };
    println!("{name}: seed {seed} (SUPERCARGO_TEST_SEED={seed} repeats it)");
    let plan = Plan {
        seed,
        kills,
        every_line,
        nodes,
        url,
        folder: folder.path().to_owned(),
        program: program(),
        tells: false,
    };
    let account = rehearse(&plan).await;
    let found = &account.findings;
    println!("{account:#?}");
    assert!(
        account.is_sound(),
        "{name}: seed {seed}: lost {:#?} repeated {:#?} wrong {:#?}",
        found.lost,
        found.repeated,
        found.wrong
    );
    assert!(account.kills() >= kills && found.orders > 0 && found.files > 0);
    account
}

/// Every line of the path must have been died at.
fn at_every_line(account: &Account) {
    for line in waypoint::ALL {
        assert!(
            account.at_lines.contains_key(&line.to_string()),
            "nobody died at {line}: {:?}",
            account.at_lines
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_line_on_sqlite() {
    at_every_line(&rehearsed("SQLite", 50, true, 1, None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    rehearsed("PostgreSQL", 40, false, 1, Some(database.url.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_are_killed_over_one_database() {
    let Some(database) = fresh_database().await else {
        return;
    };
    rehearsed(
        "PostgreSQL with three nodes",
        40,
        false,
        3,
        Some(database.url.clone()),
    )
    .await;
}
