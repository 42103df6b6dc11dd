//! `doctor`: finds what is wrong with a set-up and says what to do about each.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::listing::minute;
use super::table::harmless;
use super::{CliError, CliResult, Options, house, outcome, print};
use crate::config::profile::connection::RemoteServer;
use crate::config::roles::Role;
use crate::service::endpoints::{self, Endpoints};
use crate::service::occupancy;
use crate::storage::listing::Page;
use crate::storage::listing::files::{FileFilter, files};
use crate::storage::listing::health::{self, Health};
use crate::storage::listing::partners::partners;
use crate::storage::partners::ConnectionRow;
use crate::transport::sftp_client::PartnerServer;
use crate::transport::sftp_server::{HOST_KEY_FILE, HostKey};
use crate::workflow::{COMPANY, Gateway};

/// One thing that was looked at.
#[derive(Debug, Clone, serde::Serialize)]
struct Check {
    /// What.
    check: &'static str,
    /// Whether it is as it should be.
    sound: bool,
    /// What was seen, and what to do where it is not sound: fit for a terminal, whatever partners' servers said.
    says: String,
}

fn check(check: &'static str, sound: bool, says: impl AsRef<str>) -> Check {
    Check {
        check,
        sound,
        says: harmless(says.as_ref()),
    }
}

/// Something that is not sound of each of these, a line each below `says`.
fn amiss(name: &'static str, says: &str, each: &[String]) -> Check {
    let lines = [says.to_owned()]
        .into_iter()
        .chain(each.iter().map(|line| harmless(line)));
    Check {
        check: name,
        sound: false,
        says: lines.collect::<Vec<_>>().join("\n                 "),
    }
}

/// Looks at everything: status 0 when all is sound, 1 when something needs a person.
pub async fn run(options: &Options) -> CliResult {
    let gateway = house::open(options).await?;
    let mut checks = vec![database(&gateway), company(&gateway), mail(&gateway).await];
    checks.extend(objects(&gateway).await);
    checks.push(running(&gateway));
    checks.push(folder(&gateway));
    checks.extend(owner(&gateway));
    checks.extend(disk(&gateway));
    if !is_played_elsewhere(&gateway, Role::Mailbox) {
        checks.push(host_key(&gateway));
    }
    checks.push(clock(&gateway).await?);
    checks.push(addresses(&gateway).await?);
    checks.extend(partners_keys(&gateway).await?);
    let health = health::look(
        &mut gateway.store.read().await?,
        COMPANY,
        gateway.now(),
        Page::first(20),
    )
    .await?;
    checks.extend(house_checks(&health));
    let sound = checks.iter().all(|check| check.sound);
    if options.json {
        outcome::print_json(&checks)?;
    } else {
        for check in &checks {
            print::line(&format!(
                "{}  {:<12} {}",
                if check.sound { "ok " } else { "!! " },
                check.check,
                check.says
            ))?;
        }
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn database(gateway: &Gateway) -> Check {
    check(
        "database",
        true,
        format!(
            "{} answers and has this version's schema",
            gateway.store.location()
        ),
    )
}

fn company(gateway: &Gateway) -> Check {
    if let Some(warning) = house::specimen_warning(&gateway.settings) {
        return check("company", false, warning);
    }
    match gateway.settings.our_company() {
        Some(company) => check(
            "company",
            true,
            format!(
                "{} speaks as {}:{}",
                company.name, company.qualifier, company.id
            ),
        ),
        None => check(
            "company",
            false,
            "the settings name no company: add [[company]]",
        ),
    }
}

async fn mail(gateway: &Gateway) -> Check {
    let mail = &gateway.settings.mail;
    if mail.host.is_empty() {
        return check(
            "mail",
            true,
            "no mail server is configured: alerts stay in the console ([mail] host sends them)",
        );
    }
    let address = format!("{}:{}", mail.host, mail.port);
    let connected = tokio::time::timeout(
        Duration::from_secs(5),
        tokio::net::TcpStream::connect(&address),
    )
    .await;
    match connected {
        Ok(Ok(_)) => check(
            "mail",
            !mail.ops.is_empty(),
            match mail.ops.is_empty() {
                true => format!(
                    "{address} answers, and nobody gets mail: name recipients in [mail] ops"
                ),
                false => format!("{address} answers; mail goes to {}", mail.ops.join(", ")),
            },
        ),
        Ok(Err(error)) => check(
            "mail",
            false,
            format!("{address} can not be reached: {error}; check [mail] host and port"),
        ),
        Err(_) => check(
            "mail",
            false,
            format!("{address} does not answer within 5 s; check [mail] host and port"),
        ),
    }
}

/// Whether the bucket can be written and read; nothing where the settings name none.
async fn objects(gateway: &Gateway) -> Option<Check> {
    let objects = gateway.store.objects()?;
    let named = &gateway.settings.objects;
    Some(match objects.probe().await {
        Ok(()) => check(
            "objects",
            true,
            format!(
                "the bucket {} can be written and read; received files above {} bytes go there",
                objects.bucket(),
                named.above_bytes
            ),
        ),
        Err(failure) => check(
            "objects",
            false,
            format!(
                "{failure}; large files are refused to partners until that is mended: check [objects] and the rights of its access key"
            ),
        ),
    })
}

fn running(gateway: &Gateway) -> Check {
    match Endpoints::of_running(&gateway.settings.data) {
        Some(endpoints) => check(
            "serve",
            true,
            match endpoints.part() {
                Some(roles) => format!("as {roles}: {}", endpoints.words()),
                None => endpoints.words(),
            },
        ),
        None => check(
            "serve",
            true,
            "no gateway serves this data folder now; `supercargo serve` starts one",
        ),
    }
}

/// Whether the data folder takes files.
fn folder(gateway: &Gateway) -> Check {
    let data = &gateway.settings.data;
    let probe = data.join(format!(".doctor-{}", std::process::id()));
    let tried = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => check(
            "data folder",
            true,
            format!("{} takes files", data.display()),
        ),
        Err(error) => check(
            "data folder",
            false,
            format!(
                "{} takes no files: {error}; {}",
                data.display(),
                match error.kind() {
                    std::io::ErrorKind::StorageFull => "make room",
                    _ =>
                        "mend its permissions, run this as the user who serves, or choose another with --data",
                }
            ),
        ),
    }
}

/// Files that a gateway writes and that belong to somebody else than the data folder, as those do that a command made which
/// root ran: who serves may not write them. Nothing where all are of one user.
fn owner(gateway: &Gateway) -> Option<Check> {
    let data = &gateway.settings.data;
    let of = std::fs::metadata(data).ok()?.uid();
    let database = ["", "-wal", "-shm"].map(|end| format!("{}{end}", house::DATABASE));
    let host_key = format!("keys/{HOST_KEY_FILE}");
    let others: Vec<String> = database
        .into_iter()
        .chain([
            host_key,
            occupancy::FILE.to_owned(),
            endpoints::FILE.to_owned(),
        ])
        .filter(|name| std::fs::metadata(data.join(name)).is_ok_and(|file| file.uid() != of))
        .collect();
    if others.is_empty() {
        return None;
    }
    let says = format!(
        "the folder belongs to user {of}, and not these in it: {}; who serves may not write them: `chown -R --reference={folder} {folder}`, and run commands as the user who serves",
        others.join(", "),
        folder = data.display()
    );
    Some(check("owner", false, says))
}

/// Megabytes below which a full disk is near.
const DISK_MIN_MB: u64 = 1_024;

/// What is free on the disk of the data folder; none where the system does not tell.
fn disk(gateway: &Gateway) -> Option<Check> {
    let found = rustix::fs::statvfs(&gateway.settings.data).ok()?;
    let free_mb = found.f_bavail.saturating_mul(found.f_frsize) / 1024 / 1024;
    let says = match free_mb < DISK_MIN_MB {
        true => {
            format!("{free_mb} MB are free: make room, for what can not be stored is not received")
        }
        false => format!("{free_mb} MB are free"),
    };
    Some(check("disk", free_mb >= DISK_MIN_MB, says))
}

/// Whether the gateway that serves this folder, or would by its settings, leaves a role to others.
fn is_played_elsewhere(gateway: &Gateway, role: Role) -> bool {
    match Endpoints::of_running(&gateway.settings.data) {
        Some(endpoints) if !endpoints.roles.is_empty() => !endpoints.roles.contains(&role),
        _ => !gateway.settings.node.has(role),
    }
}

/// The key by which partners know our mailbox.
fn host_key(gateway: &Gateway) -> Check {
    let folder = gateway.settings.data.join("keys");
    // One that may not be looked at is there; what keeps us from it is told below.
    if let Ok(false) = folder.join(HOST_KEY_FILE).try_exists() {
        return check(
            "host key",
            true,
            "none yet; the first `supercargo serve` makes one",
        );
    }
    match HostKey::load_or_create(&folder) {
        Ok(key) => check("host key", true, key.fingerprint()),
        Err(error) => check("host key", false, error.to_string()),
    }
}

/// Whether the clock stands after what it has stamped.
async fn clock(gateway: &Gateway) -> Result<Check, CliError> {
    let now = gateway.now();
    let filter = FileFilter {
        page: Page::first(1),
        ..FileFilter::default()
    };
    let newest = files(&mut gateway.store.read().await?, &filter).await?;
    Ok(match newest.first().filter(|file| file.received_at > now) {
        Some(file) => check(
            "clock",
            false,
            format!(
                "shows {} UTC, and the newest file was received at {} UTC: set the machine's clock (or start `serve` with the right --now)",
                minute(now),
                minute(file.received_at)
            ),
        ),
        None => check("clock", true, format!("{} UTC", minute(now))),
    })
}

/// Partners that nobody can tell apart, or to whom nothing can be brought.
async fn addresses(gateway: &Gateway) -> Result<Check, CliError> {
    let all = partners(&mut gateway.store.read().await?, None, Page::first(10_000)).await?;
    let cut_off: Vec<String> = all
        .into_iter()
        .filter(|partner| partner.addresses.is_empty() || partner.connections.is_empty())
        .map(|partner| partner.partner)
        .collect();
    Ok(match cut_off.is_empty() {
        true => check(
            "addresses",
            true,
            "every partner has an EDI address and a connection",
        ),
        false => check(
            "addresses",
            false,
            format!(
                "no EDI address or no connection: {}; apply their profiles again (`supercargo partner apply FILE`)",
                cut_off.join(", ")
            ),
        ),
    })
}

/// Whether the keys and passwords by which partners' servers know us can be read; nothing where no partner has a server,
/// or where the gateway that serves this folder talks to none.
async fn partners_keys(gateway: &Gateway) -> Result<Option<Check>, CliError> {
    let elsewhere = is_played_elsewhere(gateway, Role::Workers);
    let servers = gateway.store.read().await?.connections("sftp").await?;
    if elsewhere || servers.is_empty() {
        return Ok(None);
    }
    let problems: Vec<String> = servers
        .iter()
        .filter_map(|row| {
            let problem = own_secrets(row, &gateway.settings.key_folder()).err()?;
            Some(format!("{}: {problem}", row.name))
        })
        .collect();
    Ok(Some(match problems.is_empty() {
        true => check(
            "partner keys",
            true,
            "what we log in with at partners' servers can be read",
        ),
        false => amiss(
            "partner keys",
            "what we log in with at partners' servers can not be read:",
            &problems,
        ),
    }))
}

/// Reads what we log in with at a partner's server, or says what keeps us from it.
fn own_secrets(row: &ConnectionRow, data: &Path) -> Result<(), String> {
    let server: RemoteServer = serde_json::from_str(&row.body).map_err(|error| {
        format!("its settings can not be read ({error}); apply the profile again")
    })?;
    let server =
        PartnerServer::from_profile(&server, data).map_err(|refusal| refusal.to_string())?;
    match &server.key_file {
        Some(path) => std::fs::read(path).map(drop).map_err(|error| {
            format!(
                "our key {} can not be read: {error}; put the private key there (`ssh-keygen -t ed25519 -f FILE` makes one, and FILE.pub is the partner's), for the user who serves to read",
                path.display()
            )
        }),
        None => Ok(()),
    }
}

/// Minutes after which work that is due and does not fail should have been done.
const LIES_MINUTES: i64 = 10;

/// Whether work lies there that nobody does.
fn lies(health: &Health) -> bool {
    health
        .due_for
        .is_some_and(|since| since.num_minutes() >= LIES_MINUTES)
}

/// Who holds the work that is due, behind its count; nothing where nobody does.
fn claims(health: &Health) -> String {
    health.claimed_until.map_or_else(String::new, |until| {
        format!(
            "; {} of them are claimed by a gateway, which if it died leaves them to others at {} UTC",
            health.claimed,
            until.format("%Y-%m-%d %H:%M:%S")
        )
    })
}

fn house_checks(health: &Health) -> Vec<Check> {
    let list = |names: &[String]| names.join(", ");
    vec![
        check("partners", health.partners > 0, match health.partners {
            0 => "there are none: `supercargo partner apply FILE`".to_owned(),
            n => format!("{n}"),
        }),
        check("mailboxes", health.without_login.is_empty(), match health.without_login.is_empty() {
            true => "every mailbox has a login".to_owned(),
            false => format!("no login yet for {}: `supercargo mailbox add NAME --partner P --key FILE`", list(&health.without_login)),
        }),
        check("connections", health.connections_in_trouble.is_empty(), match health.connections_in_trouble.is_empty() {
            true => "none is in trouble".to_owned(),
            false => list(&health.connections_in_trouble),
        }),
        check("warehouses", health.warehouses > 0, match health.warehouses {
            0 => "there are none, so that nothing can be promised: `supercargo warehouse import FILE.csv`".to_owned(),
            n => format!("{n}"),
        }),
        check("items", health.items > 0, match health.items {
            0 => "there are none, so that every line is unknown: `supercargo item import FILE.csv`".to_owned(),
            n if health.items_without_price > 0 => format!(
                "{n}, {} of them without a price: their lines wait for a person unless the order has one (`supercargo price import FILE.csv`)",
                health.items_without_price
            ),
            n => format!("{n}, all with a price"),
        }),
        match health.stuck.is_empty() {
            true if lies(health) => check("work", false, format!(
                "{} pieces are due, the oldest for {} minutes{}: no gateway that has the role workers seems to run over this database (`supercargo serve`), or what runs can not keep up",
                health.due,
                health.due_for.map_or(0, |since| since.num_minutes()),
                claims(health)
            )),
            true => check("work", true, format!("nothing is stuck; {} pieces are due{}", health.due, claims(health))),
            false => amiss(
                "work",
                "some work keeps failing; mend the cause, and it goes on by itself, being tried again at longer intervals:",
                &health.stuck,
            ),
        },
        check("alerts", health.alerts == 0, match health.alerts {
            0 => "none is open".to_owned(),
            n => format!("{n} are open: `supercargo alert list`"),
        }),
    ]
}
