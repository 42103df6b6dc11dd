//! `demo`: the whole gateway on SQLite in a fresh folder, and three partners that trade with it for sixty days.

mod demands;
mod player;
mod table;
mod wire;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use rust_decimal::Decimal;

use super::{CliError, CliResult, Options, house, serve};
use crate::config::profile::Profile;
use crate::config::profile::changes::with_values;
use crate::config::samples::{self, SamplePartner};
use crate::config::settings::Settings;
use crate::domain::clock::{Clock, Instant};
use crate::domain::ids::OrderId;
use crate::domain::order::Mode;
use crate::domain::shipment::Confirmation;
use crate::service::{ServeOptions, Service};
use crate::storage::listing::Page;
use crate::storage::listing::orders::{self as order_listing, OrderFilter};
use crate::storage::users::{Role, hash_password};
use crate::storage::{Class, StoreLocation};
use crate::translation::envelope::Addresses;
use crate::transport::sftp_server::{Limits, SftpServer, SftpServerSettings};
use crate::workflow::lists::{self, ListKind};
use crate::workflow::{COMPANY, orders, partners, run, shipments, watch};
use player::{Paid, Player};
use wire::{PartnerServer, Wire};

/// Days that the demo plays; the last is today.
const DAYS: i64 = 60;
/// Marks a folder that the demo made, so that it may make it anew.
const MARK: &str = "made-by-demo";
/// How long the partner's server waits for our poll.
const PATIENCE: Duration = Duration::from_secs(30);

/// Play three partners against a fresh gateway.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when everything has been played: status 0 only if every partner got exactly what its profile demands
    #[arg(long)]
    exit: bool,
}

/// Plays, tells, and keeps serving.
pub async fn run(options: &Options, args: Args) -> CliResult {
    let data = options
        .data
        .clone()
        .unwrap_or_else(|| PathBuf::from("demo-data"));
    fresh(&data)?;
    let mut stage = Stage::set(&data).await?;
    stage.play().await?;
    let differences: Vec<String> = stage
        .players
        .iter()
        .flat_map(demands::differences)
        .collect();
    stage.progress.finish_and_clear();
    println!("");
    for line in table::table(&stage.service.gateway).await? {
        println!("{line}");
    }
    println!("");
    let code = tell(&differences);
    if args.exit {
        println!("What it made is in {}.", data.display());
    } else {
        println!(
            "Console: http://{}   user {USER}, password {}",
            stage.service.endpoints.http, stage.password
        );
        println!(
            "Mailbox: sftp://{}   data in {}",
            stage.service.endpoints.sftp,
            data.display()
        );
        println!("It keeps serving; Ctrl-C ends it.");
        serve::stop_signal().await;
    }
    stage.end().await;
    Ok(if args.exit { code } else { ExitCode::SUCCESS })
}

fn tell(differences: &[String]) -> ExitCode {
    if differences.is_empty() {
        println!("Every partner got exactly what its profile demands.");
        return ExitCode::SUCCESS;
    }
    println!("Some partners did not get what their profiles demand:");
    for difference in differences {
        println!("  {difference}");
    }
    ExitCode::from(1)
}

/// The console's user of the demo.
const USER: &str = "demo";

/// Makes the folder; one that an earlier demo made is made anew, any other that is not empty is left alone.
fn fresh(data: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::file("prepared", data, &error);
    if data.join(MARK).exists() {
        std::fs::remove_dir_all(data).map_err(failed)?;
    }
    std::fs::create_dir_all(data).map_err(failed)?;
    if std::fs::read_dir(data).map_err(failed)?.next().is_some() {
        return Err(CliError::Broken(format!(
            "{} is not empty and was not made by the demo: it is left alone; give another folder with --data",
            data.display()
        )));
    }
    std::fs::write(
        data.join(MARK),
        "This folder was made by `supercargo demo`, which may remove it.\n",
    )
    .map_err(failed)
}

/// The gateway and the partners around it.
struct Stage {
    service: Service,
    players: Vec<Player>,
    hosted: SftpServer,
    password: String,
    first_day: Instant,
    progress: ProgressBar,
}

fn broken(why: impl std::fmt::Display) -> CliError {
    CliError::Broken(why.to_string())
}

impl Stage {
    async fn set(data: &Path) -> Result<Self, CliError> {
        let first_day = crate::service::HouseClock::default().now() - chrono::Duration::days(DAYS);
        let settings = Settings {
            data: data.to_owned(),
            ..Settings::default()
        };
        let location = StoreLocation::Sqlite(data.join(house::DATABASE));
        let any = || Some("127.0.0.1:0".to_owned());
        let options = ServeOptions {
            settings,
            location,
            sftp: any(),
            http: any(),
            now: Some(first_day),
        };
        let service = Service::start(options).await?;
        let progress = progress();
        let (hosted, shelf) = own_server(data).await?;
        let mut stage = Self {
            service,
            players: Vec::new(),
            hosted,
            password: String::new(),
            first_day,
            progress,
        };
        stage.say("three partners, twelve items, two warehouses");
        stage.apply_partners(data, &shelf).await?;
        stage.load_lists().await?;
        stage.add_user().await?;
        Ok(stage)
    }

    fn say(&self, what: &str) {
        let day = self.service.clock.now().date_naive();
        if self.progress.is_hidden() {
            println!("{day}  {what}");
        } else {
            self.progress.println(format!("{day}  {what}"));
        }
    }

    fn day(&self) -> NaiveDate {
        self.first_day.date_naive()
    }

    async fn apply_partners(
        &mut self,
        data: &Path,
        shelf: &Arc<PartnerServer>,
    ) -> Result<(), CliError> {
        for sample in samples::PARTNERS {
            let text = match sample.partner {
                "freshway" => hosted_profile(sample, &self.hosted)?,
                _ => sample.profile.to_owned(),
            };
            let gateway = &self.service.gateway;
            let (partner, _) = partners::apply(gateway, &text, USER).await?;
            let profile = Profile::parse(&text)?;
            let company = gateway
                .settings
                .our_company()
                .ok_or_else(|| broken("the settings name no company"))?;
            let addresses = Addresses::of(&profile, company, Mode::Production);
            let wire = match sample.partner {
                "freshway" => Wire::Host(shelf.clone()),
                name => self.log_in(data, name, partner.0).await?,
            };
            self.players
                .push(Player::new(sample.partner, profile, wire, addresses));
        }
        Ok(())
    }

    /// A mailbox with a fresh key for a partner.
    async fn log_in(
        &self,
        data: &Path,
        name: &'static str,
        partner: i64,
    ) -> Result<Wire, CliError> {
        let folder = data.join("partners").join(name);
        let (key, public) = client_key(&folder)?;
        let now = self.service.clock.now();
        self.service
            .gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let public = public.clone();
                Box::pin(async move {
                    let id = connection.open_mailbox(name, partner).await?;
                    connection.add_mailbox_login(id, "key", &public, now).await
                })
            })
            .await?;
        Ok(Wire::Client {
            address: self.service.endpoints.sftp.clone(),
            user: name.to_owned(),
            key,
            host_key: self.service.endpoints.host_key.clone(),
        })
    }

    async fn load_lists(&self) -> Result<(), CliError> {
        let gateway = &self.service.gateway;
        let expected = samples::redated_list(samples::EXPECTED, self.day());
        let lists: [(ListKind, &str); 4] = [
            (ListKind::Warehouses, samples::WAREHOUSES),
            (ListKind::Items, samples::ITEMS),
            (ListKind::Stock, samples::STOCK),
            (ListKind::Stock, &expected),
        ];
        for (kind, text) in lists {
            lists::load(gateway, kind, text.as_bytes(), None, USER).await?;
        }
        for sample in samples::PARTNERS {
            let prices = samples::redated_list(sample.prices, self.day());
            lists::load(
                gateway,
                ListKind::Prices,
                prices.as_bytes(),
                Some(sample.partner),
                USER,
            )
            .await?;
            lists::load(
                gateway,
                ListKind::Locations,
                sample.locations.as_bytes(),
                Some(sample.partner),
                USER,
            )
            .await?;
        }
        Ok(())
    }

    async fn add_user(&mut self) -> Result<(), CliError> {
        let mut bytes = [0_u8; 9];
        getrandom::fill(&mut bytes).map_err(broken)?;
        self.password = hex::encode(bytes);
        let hash = hash_password(&self.password)?;
        let now = self.service.clock.now();
        self.service
            .gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let hash = hash.clone();
                Box::pin(async move {
                    connection
                        .save_user(USER, &hash, &BTreeSet::from([Role::Admin]), now)
                        .await
                })
            })
            .await?;
        Ok(())
    }

    /// Sixty days, one after the other.
    async fn play(&mut self) -> Result<(), CliError> {
        for day in 0..=DAYS {
            let now = if day == DAYS {
                self.first_day + chrono::Duration::days(DAYS)
            } else {
                self.first_day + chrono::Duration::days(day)
            };
            self.service.clock.set(now);
            self.service.tell_clock().map_err(broken)?;
            self.progress.set_position(day.unsigned_abs());
            self.progress.set_message(now.date_naive().to_string());
            self.partners_act(day)?;
            self.house_acts(day).await?;
            self.exchange(now).await?;
            watch::overdue_acknowledgments(&self.service.gateway).await?;
        }
        Ok(())
    }

    /// What the partners send on a day.
    fn partners_act(&mut self, day: i64) -> Result<(), CliError> {
        let written = self.day();
        for (n, sample) in samples::PARTNERS.iter().enumerate() {
            let Some(order) = usize::try_from(day)
                .ok()
                .and_then(|day| sample.orders.get(day))
            else {
                continue;
            };
            let text = samples::redated(order.text, written);
            if let Some(player) = self.players.get_mut(n) {
                player.order(order.name, &text).map_err(broken)?;
            }
            self.say(&format!("{} sends {}", sample.partner, order.name));
        }
        let at = self.service.clock.now().naive_utc();
        match day {
            21 => self.pay("freshway", "EFT-7001", at, |n| {
                (n == 0).then_some(Payment::Full)
            }),
            30 => self.pay("bigmart", "CHK-88120", at, |n| match n {
                0 => Some(Payment::Full),
                1 => Some(Payment::Short),
                _ => None,
            }),
            _ => Ok(()),
        }
    }

    /// Pays some of the invoices that a partner got, by their place.
    fn pay(
        &mut self,
        partner: &str,
        trace: &str,
        at: chrono::NaiveDateTime,
        choose: impl Fn(usize) -> Option<Payment>,
    ) -> Result<(), CliError> {
        let Some(player) = self
            .players
            .iter_mut()
            .find(|player| player.name == partner)
        else {
            return Ok(());
        };
        let parts: Vec<Paid> = player
            .invoices()
            .into_iter()
            .enumerate()
            .filter_map(|(n, (invoice, _, total))| match choose(n)? {
                Payment::Full => Some((invoice, total, None)),
                // 70: the partner says that the ship notice did not come in time.
                Payment::Short => Some((invoice, total, Some((Decimal::new(2500, 2), "70")))),
            })
            .collect();
        player.pay(trace, &parts, at).map_err(broken)?;
        let invoices: Vec<&str> = parts.iter().map(|(invoice, ..)| invoice.as_str()).collect();
        let what = format!("{partner} pays {} ({trace})", invoices.join(" and "));
        self.say(&what);
        Ok(())
    }

    /// What people of the house do on a day.
    async fn house_acts(&self, day: i64) -> Result<(), CliError> {
        match day {
            1 => self.release_held().await,
            3 => self.confirm_planned().await,
            // The day on which the samples expect the goods.
            20 => self.take_in_goods().await,
            _ => Ok(()),
        }
    }

    async fn release_held(&self) -> Result<(), CliError> {
        let gateway = &self.service.gateway;
        let filter = OrderFilter {
            status: Some("held".to_owned()),
            page: Page::first(100),
            ..OrderFilter::default()
        };
        let held = order_listing::orders(&mut gateway.store.read().await?, &filter).await?;
        for order in held {
            let id: OrderId = order.order.parse().map_err(broken)?;
            orders::release(
                gateway,
                id,
                "the buyer's price was agreed by telephone",
                USER,
            )
            .await?;
            self.say(&format!(
                "ops releases PO {} of {}, held for its price",
                order.po_number, order.partner
            ));
        }
        Ok(())
    }

    async fn confirm_planned(&self) -> Result<(), CliError> {
        let gateway = &self.service.gateway;
        let mut reading = gateway.store.read().await?;
        let warehouses = crate::storage::catalogue::warehouses(&mut reading, COMPANY).await?;
        let Some(west) = warehouses.iter().find(|warehouse| warehouse.code == "WEST") else {
            return Ok(());
        };
        let planned = reading.planned_shipments(west.id, 100).await?;
        drop(reading);
        for shipment in planned {
            let confirmation = Confirmation {
                shipment: Some(shipment),
                tracking: format!("PRO{:07}", 4_400_000 + shipment.0),
                ..Confirmation::default()
            };
            shipments::confirm(gateway, confirmation, USER).await?;
            self.say(&format!(
                "the warehouse WEST confirms that shipment {shipment} has left"
            ));
        }
        Ok(())
    }

    async fn take_in_goods(&self) -> Result<(), CliError> {
        let counted = "warehouse,item,quantity\nEAST,HW-1003,120\n";
        lists::load(
            &self.service.gateway,
            ListKind::Stock,
            counted.as_bytes(),
            None,
            USER,
        )
        .await?;
        self.say("120 work lights come in: the backorder goes on");
        Ok(())
    }

    /// Lets everything flow until nothing moves any more: our work, our polls, the partners' collecting and answering.
    async fn exchange(&mut self, now: DateTime<Utc>) -> Result<(), CliError> {
        loop {
            self.wait_for_polls().await?;
            run::settle(&self.service.gateway, PATIENCE).await?;
            let mut files = 0;
            for player in &mut self.players {
                files += tokio::task::block_in_place(|| player.collect(now.naive_utc()))
                    .map_err(broken)?;
            }
            let offered: usize = self
                .players
                .iter()
                .map(|player| player.wire.unfetched())
                .sum();
            if files == 0 && offered == 0 {
                return Ok(());
            }
        }
    }

    async fn wait_for_polls(&self) -> Result<(), CliError> {
        let ends = std::time::Instant::now() + PATIENCE;
        while self
            .players
            .iter()
            .any(|player| player.wire.unfetched() > 0)
        {
            if std::time::Instant::now() > ends {
                return Err(broken(
                    "the partner's own server was not polled in time; the log above says why",
                ));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn end(self) {
        self.service.stop().await;
        self.hosted.stop().await;
    }
}

/// How much of an invoice is paid.
#[derive(Debug, Clone, Copy)]
enum Payment {
    Full,
    Short,
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new(DAYS.unsigned_abs());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// A key pair for a client: the file with the private key, and the public key's line.
fn client_key(folder: &Path) -> Result<(PathBuf, String), CliError> {
    use crate::transport::sftp_server::{HOST_KEY_FILE, HostKey};
    std::fs::create_dir_all(folder).map_err(|error| CliError::file("made", folder, &error))?;
    let key = HostKey::load_or_create(folder).map_err(broken)?;
    Ok((folder.join(HOST_KEY_FILE), key.openssh()))
}

/// The grocer's own SFTP server, which knows our key.
async fn own_server(data: &Path) -> Result<(SftpServer, Arc<PartnerServer>), CliError> {
    let (_, public) = client_key(&data.join("keys").join("freshway"))?;
    let shelf = Arc::new(PartnerServer::new("supercargo", &public));
    let folder = data.join("partners").join("freshway");
    let settings = SftpServerSettings {
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        host_key_folder: folder.join("keys"),
        spool_folder: folder.join("spool"),
        limits: Limits::from_settings(&Settings::default()),
    };
    let server = SftpServer::start(settings, shelf.clone())
        .await
        .map_err(broken)?;
    Ok((server, shelf))
}

/// The grocer's profile with the address and host key of its server as they are today.
fn hosted_profile(sample: &SamplePartner, hosted: &SftpServer) -> Result<String, CliError> {
    use crate::transport::sftp_server::HOST_KEY_FILE;
    let values = [
        (
            "connection.sftp.port",
            toml::Value::from(i64::from(hosted.address().port())),
        ),
        (
            "connection.sftp.host_key",
            toml::Value::from(hosted.host_key().fingerprint()),
        ),
        (
            "connection.sftp.key_file",
            toml::Value::from(format!("keys/freshway/{HOST_KEY_FILE}")),
        ),
        ("connection.sftp.fetch_from", toml::Value::from("/outbound")),
        ("connection.sftp.deliver_to", toml::Value::from("/inbound")),
        ("connection.sftp.after_fetch", toml::Value::from("delete")),
        ("connection.sftp.interval_seconds", toml::Value::from(1)),
        ("connection.sftp.backoff_seconds", toml::Value::from(1)),
    ];
    with_values(sample.profile, &values).map_err(broken)
}
