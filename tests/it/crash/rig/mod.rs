//! The crash rehearsal: real gateways that are killed at named lines and at any moment, partners that trade on, and a
//! check of everything at the end. Shared by the short runs among the tests and the long one in `examples/crash`.

pub mod check;
pub mod documents;
pub mod gateway;
pub mod orders;
pub mod partner;
pub mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use fastrand::Rng;
use supercargo::config::profile::Profile;
use supercargo::config::profile::changes::with_values;
use supercargo::config::samples;
use supercargo::config::settings::Settings;
use supercargo::domain::clock::Clock;
use supercargo::domain::order::Mode;
use supercargo::service::clock::HouseClock;
use supercargo::service::serve;
use supercargo::storage::{Class, Store, StoreLocation};
use supercargo::translation::envelope::Addresses;
use supercargo::transport::sftp_server::{HOST_KEY_FILE, HostKey};
use supercargo::waypoint;
use supercargo::workflow::lists::ListKind;
use supercargo::workflow::prove::prove;
use supercargo::workflow::{Gateway as Open, lists, partners};

use check::Findings;
use gateway::{DiesAt, Gateway, Program, Start};
use orders::{SCARCE, Style};
use partner::{Asked, Partner, Wire};
use wire::{Board, MailboxClient, OwnServer, client_key};

/// What is rehearsed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// From which all chance follows.
    pub seed: u64,
    /// How often a gateway is killed.
    pub kills: usize,
    /// Whether to go on, up to four times as often, until one has died at every line.
    pub every_line: bool,
    /// Gateways over one database.
    pub nodes: usize,
    /// An empty PostgreSQL database; none: SQLite.
    pub url: Option<String>,
    /// An empty folder for everything.
    pub folder: PathBuf,
    /// How this program starts itself as the gateway.
    pub program: Program,
    /// Whether to tell of the progress on stderr.
    pub tells: bool,
}

/// How it went.
#[derive(Debug, Default)]
pub struct Account {
    /// Kills at any moment.
    pub random: usize,
    /// Kills at each line.
    pub at_lines: BTreeMap<String, usize>,
    /// What was found at the end.
    pub findings: Findings,
}

impl Account {
    /// Kills of both kinds.
    pub fn kills(&self) -> usize {
        self.random + self.at_lines.values().sum::<usize>()
    }

    /// Whether every invariant held.
    pub fn is_sound(&self) -> bool {
        let found = &self.findings;
        found.lost.is_empty() && found.repeated.is_empty() && found.wrong.is_empty()
    }
}

/// The settings of every gateway: quick looks and short leases, so that a kill costs a second and not a minute.
pub const SETTINGS: &str = "\
[work]
poll_milliseconds = 50
lease_seconds = 2
clocks_seconds = 1
folder_seconds = 1

[limits]
files_per_minute_max = 100000
";

/// The house, its partners and all that stands around them.
pub struct Stage {
    /// The gateways.
    pub gateways: Vec<Gateway>,
    /// Where they can be reached.
    pub board: Board,
    /// The partners.
    pub partners: Vec<Partner>,
    /// Where the database is.
    pub location: StoreLocation,
}

/// Lays out the house with the sample partners, and keys and settings for every node.
pub async fn lay_out(plan: &Plan, settings: &str) -> Stage {
    lay_out_behind(plan, settings, &|server| server).await
}

/// As [`lay_out`], with something between us and the partner's own server: `between` is given the server's address and
/// gives the one that we are told.
pub async fn lay_out_behind(
    plan: &Plan,
    settings: &str,
    between: &(dyn Fn(SocketAddr) -> SocketAddr + Sync),
) -> Stage {
    let folder = &plan.folder;
    let first = folder.join("node-0");
    let location = match &plan.url {
        Some(url) => StoreLocation::Postgres(url.clone()),
        None => StoreLocation::Sqlite(first.join("supercargo.db")),
    };
    let config = folder.join("settings.toml");
    std::fs::create_dir_all(folder).expect("makes a folder");
    std::fs::write(&config, settings).expect("writes");
    let ours = HostKey::load_or_create(&first.join("keys")).expect("makes a key");
    let (_, visiting) = client_key(&first.join("keys/freshway"));
    let own = OwnServer::start(&made(&folder.join("freshway")), &visiting);
    let house = Settings {
        data: first.clone(),
        ..Settings::parse(settings).expect("sound settings")
    };
    let (open, clock) = serve::open(house, location.clone(), None)
        .await
        .expect("the house opens");
    let board = Board::new(plan.nodes);
    let mut partners = Vec::new();
    let mut own = own;
    for (n, sample) in samples::PARTNERS.iter().enumerate() {
        let style = match sample.partner {
            "bigmart" => Style::Bigmart,
            "dropmart" => Style::Dropmart,
            _ => Style::Freshway,
        };
        let seed = plan.seed.wrapping_mul(31).wrapping_add(n as u64);
        let (text, server) = match style {
            Style::Freshway => match own.take() {
                Some(server) => (
                    hosted(sample.profile, &server, between(server.address)),
                    Some(server),
                ),
                None => {
                    eprintln!("no sshd is installed: the partner with its own server is left out");
                    continue;
                }
            },
            _ => (sample.profile.to_owned(), None),
        };
        let (partner, _) = partners::apply(&open, &text, "rehearsal")
            .await
            .expect("the profile is sound");
        let profile = Profile::parse(&text).expect("the profile is sound");
        let company = open.settings.our_company().expect("a company");
        let addresses = Addresses::of(&profile, company, Mode::Production);
        let wire = match server {
            Some(server) => Wire::Own(server),
            None => {
                let (key, public) = client_key(&folder.join(style.name()));
                let now = open.now();
                let name = style.name();
                open.store
                    .write(Class::Ordinary, move |connection| {
                        let public = public.clone();
                        Box::pin(async move {
                            let id = connection.open_mailbox(name, partner.0).await?;
                            connection.add_mailbox_login(id, "key", &public, now).await
                        })
                    })
                    .await
                    .expect("a login");
                let client = MailboxClient::new(name, key, ours.openssh(), board.clone(), seed);
                Wire::Mailbox(client)
            }
        };
        // Written yesterday: the ship windows are open wherever the warehouse is.
        let at: NaiveDateTime = clock.now().naive_utc() - chrono::Duration::days(1);
        partners.push(Partner::new(style, seed, profile, addresses, wire, at, 4));
    }
    stock(&open, &partners).await;
    let mut gateways = Vec::new();
    for n in 0..plan.nodes {
        let data = folder.join(format!("node-{n}"));
        copy_keys(&first, &data);
        gateways.push(Gateway::new(
            data,
            Start {
                program: plan.program.clone(),
                config: config.clone(),
                url: plan.url.clone(),
                under: Vec::new(),
                further: Vec::new(),
            },
        ));
    }
    Stage {
        gateways,
        board,
        partners,
        location,
    }
}

fn made(path: &Path) -> PathBuf {
    std::fs::create_dir_all(path).expect("makes a folder");
    path.to_owned()
}

/// The same keys on every node: partners know one host key, and their servers one key of ours.
fn copy_keys(from: &Path, to: &Path) {
    if from == to {
        return;
    }
    for folder in ["keys", "keys/freshway"] {
        std::fs::create_dir_all(to.join(folder)).expect("makes a folder");
        std::fs::copy(
            from.join(folder).join(HOST_KEY_FILE),
            to.join(folder).join(HOST_KEY_FILE),
        )
        .expect("copies a key with its permissions");
    }
}

/// A partner's profile with its own server in it.
fn hosted(profile: &str, server: &OwnServer, address: SocketAddr) -> String {
    let text = |value: &str| toml::Value::from(value.to_owned());
    let values = [
        (
            "connection.sftp.port",
            toml::Value::from(i64::from(address.port())),
        ),
        ("connection.sftp.user", text(&server.user)),
        ("connection.sftp.host_key", text(&server.host_key)),
        (
            "connection.sftp.key_file",
            text(&format!("keys/freshway/{HOST_KEY_FILE}")),
        ),
        ("connection.sftp.fetch_from", text("to-suppliers")),
        ("connection.sftp.deliver_to", text("from-suppliers")),
        ("connection.sftp.after_fetch", text("delete")),
        ("connection.sftp.interval_seconds", toml::Value::from(1)),
        ("connection.sftp.backoff_seconds", toml::Value::from(1)),
    ];
    with_values(profile, &values).expect("the profile takes these values")
}

/// Catalogue, prices and places of the samples, and stock that is enough for all but one item.
async fn stock(open: &Open, partners: &[Partner]) {
    let mut stock = "warehouse,item,quantity\n".to_owned();
    for line in samples::ITEMS.lines().skip(1) {
        let code = line.split(',').next().unwrap_or_default();
        let quantity = if code == SCARCE.0 {
            SCARCE.1
        } else {
            50_000_000
        };
        stock.push_str(&format!("EAST,{code},{quantity}\n"));
    }
    for (kind, list) in [
        (ListKind::Warehouses, samples::WAREHOUSES),
        (ListKind::Items, samples::ITEMS),
        (ListKind::Stock, stock.as_str()),
    ] {
        load(open, kind, list, None).await;
    }
    for sample in samples::PARTNERS {
        if partners
            .iter()
            .any(|partner| partner.style.name() == sample.partner)
        {
            load(open, ListKind::Prices, sample.prices, Some(sample.partner)).await;
            load(
                open,
                ListKind::Locations,
                sample.locations,
                Some(sample.partner),
            )
            .await;
        }
    }
}

async fn load(open: &Open, kind: ListKind, list: &str, partner: Option<&str>) {
    lists::load(open, kind, list.as_bytes(), partner, "rehearsal")
        .await
        .expect("a sound list");
}

/// What the nodes have in common while they are killed.
struct Killing {
    left: Mutex<usize>,
    more_for_lines: Mutex<usize>,
    lines: Mutex<Vec<String>>,
    account: Mutex<Account>,
    started: Instant,
    tells: bool,
}

impl Killing {
    /// Takes one of the kills that are left, or one more where a line has not been died at. False: there is none.
    fn take(&self) -> bool {
        let less = |left: &Mutex<usize>| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = left.checked_sub(1);
            *left = taken.unwrap_or_default();
            taken.is_some()
        };
        less(&self.left) || (!self.at_every_line() && less(&self.more_for_lines))
    }

    fn at_every_line(&self) -> bool {
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        waypoint::ALL
            .iter()
            .all(|line| account.at_lines.contains_key(&line.to_string()))
    }

    /// The next line, each once before any comes again.
    fn line(&self, chance: &mut Rng) -> String {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            lines.extend(waypoint::ALL.iter().map(ToString::to_string));
            chance.shuffle(&mut lines);
        }
        lines.pop().expect("there are lines")
    }

    /// A line that was not come to has its turn again.
    fn give_back(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let place = lines.len() / 2;
        lines.insert(place, line);
    }

    fn note(&self, line: Option<&str>) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        match line {
            Some(line) => *account.at_lines.entry(line.to_owned()).or_default() += 1,
            None => account.random += 1,
        }
        let kills = account.kills();
        if self.tells && kills.is_multiple_of(20) {
            eprintln!("{kills} kills in {} s", self.started.elapsed().as_secs());
        }
    }
}

/// How long a gateway may take to come to the line at which it is to die, before it is killed where it is.
const COMES_TO_LINE: Duration = Duration::from_secs(8);
/// How long nothing may move before the rehearsal says that something was forgotten.
const NOTHING_MOVES: Duration = Duration::from_secs(120);

/// The partners while they trade, each in a thread of its own.
pub struct Trade {
    /// What is asked of each.
    pub asked: Vec<Arc<Asked>>,
    threads: Vec<std::thread::JoinHandle<Partner>>,
}

impl Trade {
    /// Lets the partners of a stage begin.
    pub fn begin(stage: &mut Stage) -> Trade {
        let asked: Vec<Arc<Asked>> = stage.partners.iter().map(|_| Arc::default()).collect();
        let threads = std::mem::take(&mut stage.partners)
            .into_iter()
            .zip(asked.clone())
            .map(|(partner, asked)| std::thread::spawn(move || partner.trade(&asked)))
            .collect();
        Trade { asked, threads }
    }

    /// How often something moved at a partner.
    pub fn moves(&self) -> usize {
        let moves = |asked: &Arc<Asked>| asked.moves.load(Ordering::SeqCst);
        self.asked.iter().map(moves).sum()
    }

    /// Waits until things have moved so often from now.
    pub async fn goes_on(&self, times: usize) {
        let from = self.moves();
        while self.moves() < from + times {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets everything come to rest over the gateways that run, stops them gracefully, and checks everything.
    pub async fn end(
        self,
        location: &StoreLocation,
        mut gateways: Vec<Gateway>,
    ) -> (Findings, Vec<Partner>, Store) {
        let store = Store::open(location.clone())
            .await
            .expect("the database opens");
        let at_rest = come_to_rest(&store, &self.asked).await;
        let threads = self.threads;
        let partners = tokio::task::spawn_blocking(move || {
            let partners: Vec<Partner> = threads
                .into_iter()
                .map(|partner| partner.join().expect("a partner trades to its end"))
                .collect();
            for gateway in &mut gateways {
                gateway.stop();
            }
            partners
        })
        .await
        .expect("joins");
        let mut findings = check::check(&store, &partners).await;
        let house = Open::new(
            store.clone(),
            Arc::new(HouseClock::starting_at(None)),
            Arc::new(Settings::default()),
        );
        let proof = prove(&house, &[], &mut |_| {})
            .await
            .expect("the history is read");
        let faults = proof.faults.iter();
        findings
            .wrong
            .extend(faults.map(|fault| format!("prove, {}: {}", fault.place, fault.message)));
        if let Err(why) = at_rest {
            findings.lost.push(why);
        }
        (findings, partners, store)
    }
}

/// Rehearses: the whole play from the empty folder to the account.
pub async fn rehearse(plan: &Plan) -> Account {
    let mut stage = lay_out(plan, SETTINGS).await;
    let trade = Trade::begin(&mut stage);
    let killing = Arc::new(Killing {
        left: Mutex::new(plan.kills),
        more_for_lines: Mutex::new(if plan.every_line { plan.kills * 3 } else { 0 }),
        lines: Mutex::default(),
        account: Mutex::default(),
        started: Instant::now(),
        tells: plan.tells,
    });
    let nodes: Vec<_> = std::mem::take(&mut stage.gateways)
        .into_iter()
        .enumerate()
        .map(|(n, gateway)| {
            let (killing, board) = (killing.clone(), stage.board.clone());
            let asked = trade.asked.clone();
            let chance = Rng::with_seed(plan.seed ^ (0xdead_0000 + n as u64));
            std::thread::spawn(move || {
                kill_again_and_again(n, gateway, &killing, &board, &asked, chance)
            })
        })
        .collect();
    // Threads of the operating system: the runtime is free for the store.
    let gateways = tokio::task::spawn_blocking(move || {
        nodes
            .into_iter()
            .map(|node| node.join().expect("the killing of a node goes well"))
            .collect::<Vec<_>>()
    })
    .await
    .expect("joins");
    if plan.tells {
        eprintln!("no more kills; everything comes to rest");
    }
    let (findings, _, _) = trade.end(&stage.location, gateways).await;
    let mut account = std::mem::take(
        &mut *killing
            .account
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    account.findings = findings;
    account
}

/// One node: started to die at a line or at any moment, and started again, until all kills are done; then left running.
fn kill_again_and_again(
    n: usize,
    mut gateway: Gateway,
    killing: &Killing,
    board: &Board,
    asked: &[Arc<Asked>],
    mut chance: Rng,
) -> Gateway {
    while killing.take() {
        let line = (chance.u8(..10) < 7).then(|| killing.line(&mut chance));
        let dies_at = line.clone().map(|line| DiesAt {
            passing: match line.as_str() {
                line if line.starts_with("store") => chance.usize(1..60),
                line if line.contains("large") => 1,
                _ => chance.usize(1..=2),
            },
            line,
        });
        for asked in asked {
            match line.as_deref() {
                Some("upload: part of a large file stored") => {
                    asked.large.store(true, Ordering::SeqCst)
                }
                Some("read: part of a large interchange committed") => {
                    asked.many.store(true, Ordering::SeqCst)
                }
                _ => {}
            }
        }
        let endpoints = gateway.start(dies_at);
        let up = endpoints.is_some();
        board.put(n, endpoints);
        let begun = Instant::now();
        let patience = match line {
            Some(_) => COMES_TO_LINE,
            None => Duration::from_millis(chance.u64(0..2_500)),
        };
        let mut died = !up;
        while !died && begun.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(2));
            died = gateway.has_died();
        }
        board.put(n, None);
        // Between a look and the kill it may have come to its line after all; which of the two it was makes no difference.
        gateway.kill();
        match (died, line) {
            (true, Some(line)) => killing.note(Some(&line)),
            (false, Some(line)) => {
                killing.give_back(line);
                killing.note(None);
            }
            (_, None) => killing.note(None),
        }
    }
    let endpoints = gateway.start(None);
    board.put(n, endpoints);
    gateway
}

/// Waits until no partner waits for anything and no work is due. `Err` says what still moves not.
async fn come_to_rest(store: &Store, asked: &[Arc<Asked>]) -> Result<(), String> {
    for asked in asked {
        asked.close.store(true, Ordering::SeqCst);
    }
    let mut last = (usize::MAX, i64::MAX, i64::MAX);
    let mut moved = Instant::now();
    let mut rested = 0;
    let outcome = loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let open: usize = asked
            .iter()
            .map(|asked| asked.open.load(Ordering::SeqCst))
            .sum();
        let moves: usize = asked
            .iter()
            .map(|asked| asked.moves.load(Ordering::SeqCst))
            .sum();
        let mut reading = store.read().await.expect("the database answers");
        let undone = reading
            .number("SELECT CAST(COUNT(*) AS BIGINT) FROM work", vec![])
            .await
            .expect("the database answers");
        let documents = reading
            .number(
                "SELECT CAST(COUNT(*) AS BIGINT) FROM document WHERE syntax <> 'pending'",
                vec![],
            )
            .await
            .expect("the database answers");
        drop(reading);
        let now = (moves, undone, documents);
        if now != last {
            (last, moved, rested) = (now, Instant::now(), 0);
        } else if open == 0 && undone == 0 {
            rested += 1;
        }
        // Polls come every second, and what they bring is answered within another.
        if rested >= 14 {
            break Ok(());
        }
        if moved.elapsed() > NOTHING_MOVES {
            break Err(format!(
                "nothing moves any more, and {open} things are open with the partners and {undone} pieces of work undone"
            ));
        }
    };
    for asked in asked {
        asked.go_home.store(true, Ordering::SeqCst);
    }
    outcome
}
